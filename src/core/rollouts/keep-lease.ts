import { Conflict } from '../errors/app-error.ts';
import { canaryLeaseMs } from '../policies/canary.ts';
import { leaseWrites } from '../policies/lane-writes.ts';
import { renewLease } from '../policies/move-channel.ts';
import type { RunDeps } from './change-run.ts';
import type { Situation } from './read-situation.ts';
import { runKey } from './run-keys.ts';
import type { RunRecord } from './run-record.ts';

/** Whether readers have left the canary already, since nobody has looked at it for so long. */
export function isLapsed({ lanes, stored }: Situation, nowMs: number): boolean {
  return lanes.some(({ records }) => {
    const canary = records.channel?.value.canary;
    return canary?.run === stored.value.run && canary.leaseUntilMs <= nowMs;
  });
}

/**
 * Renews the leases and keeps what was seen. Not journaled: it changes no reader's rule.
 * Errors: `Conflict` when somebody else has just changed the run or a lane; look again.
 */
export async function keepLease(
  deps: Pick<RunDeps, 'records' | 'clock' | 'ids'>,
  now: Situation,
  run: RunRecord,
): Promise<void> {
  const { ref, stored, head } = now;
  const leaseUntilMs = deps.clock.nowMs() + canaryLeaseMs;
  const renewed = now.lanes.flatMap(({ policy, records }) => {
    const record = records.channel?.value;
    if (record?.canary?.run !== run.run) return [];
    return [{ id: policy.id, records, after: renewLease(record, record.canary, leaseUntilMs) }];
  });
  const place = { tenant: ref.tenant, channel: run.channel };
  const written = await deps.records.commit(
    [
      { kind: 'put', key: runKey(ref), value: run, expect: stored.rev },
      ...(head === undefined ? [] : leaseWrites(place, head, renewed)),
    ],
    deps.ids.next(),
  );
  if (written === 'conflict') throw new Conflict('The run has just changed. Look at it again.');
}
