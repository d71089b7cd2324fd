import type { Deps } from '../deps.ts';
import { commit, type Decision } from '../journal/commit.ts';
import { queryRecords } from '../records.ts';
import type { Lane } from './channel-record.ts';
import { activateRule } from './move-channel.ts';
import { type Movement, moveLane, readLane, unmoved } from './movement.ts';
import { resolveRule } from './resolve-rule.ts';
import { waitingPartition, waitingSort } from './policy-keys.ts';

type ActivateDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'log'>;

const batch = 100;
const maxBatches = 20;

/** Who the journal names for what the service does by itself. */
const activator = 'hms-svc';

/**
 * Journals the rules whose effective time has come, so that listeners hear of them. Readers do
 * not depend on it: each resolves by its own clock. Answers how many there were; at most 2000 a
 * call. A lane that fails does not keep the others of its batch; then its error is thrown.
 */
export async function activateDue(deps: ActivateDeps): Promise<number> {
  let total = 0;
  for (let batches = 0; batches < maxBatches; batches++) {
    const count = await activateBatch(deps);
    total += count;
    if (count < batch) break;
  }
  return total;
}

async function activateBatch(deps: ActivateDeps): Promise<number> {
  const due = await queryRecords<Lane>(deps, {
    partition: waitingPartition,
    // `~` sorts after every `#tenant`: the very millisecond counts.
    until: `${waitingSort(deps.clock.nowMs())}~`,
    limit: batch,
  });
  const failures: unknown[] = [];
  for (const { value: lane } of due) {
    await activate(deps, lane).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
  return due.length;
}

async function activate(deps: ActivateDeps, lane: Lane): Promise<void> {
  const origin = { tenant: lane.tenant, actor: activator, requestId: deps.ids.next() };
  const movement = await commit(deps, origin, () => decide(deps, lane));
  deps.log.info('rule took effect', { ...lane, snapshot: movement?.snapshot });
}

/** Looks every second, until `stop`. */
export async function keepActivating(deps: ActivateDeps, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await activateDue(deps);
    } catch (error) {
      deps.log.error('activation failed', { error });
    }
    await deps.clock.sleep(1000, stop);
  }
}

async function decide(deps: ActivateDeps, lane: Lane): Promise<Decision<Movement | null>> {
  const records = await readLane(deps, lane);
  const nowMs = deps.clock.nowMs();
  const record = records.channel?.value;
  const rule = record === undefined ? null : resolveRule(record, nowMs);
  // Somebody else was faster.
  if (record === undefined || rule === null) return { kind: 'unchanged', result: null };
  if (rule !== record.next) return unmoved(lane, record, rule, nowMs);
  return moveLane({
    lane,
    records,
    subject: rule,
    after: activateRule(record, nowMs),
    action: 'policy.activated',
    status: 'stored',
    reason: null,
    nowMs,
  });
}
