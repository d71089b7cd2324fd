import type { RecordQuery } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { getRecords, queryRecords } from '../records.ts';
import { isOpenDelivery, type NoticesRef } from './delivery.ts';
import { isClaimed } from './ledger.ts';
import { duePartition, noticesKey } from './partner-keys.ts';
import { type DeliverDeps, sendDue } from './send-due.ts';

const batch = 100;
const maxBatches = 20;
const lookAgainMs = 5000;

/**
 * Makes the attempts that are due, of all tenants, those of 5 runs at a time unless told. Answers
 * how many notices it looked at, 2000 at most. One that fails does not keep the others; then its
 * error is thrown. See `sendDue` for what is promised.
 */
export async function deliverDue(
  deps: DeliverDeps,
  { concurrency = 5 }: { readonly concurrency?: number } = {},
): Promise<number> {
  const failures: unknown[] = [];
  // `~` sorts after every `#tenant`: the very millisecond counts.
  const until = `${new Date(deps.clock.nowMs()).toISOString()}~`;
  let total = 0;
  let after: string | undefined;
  for (let batches = 0; batches < maxBatches; batches++) {
    const query: RecordQuery = { partition: duePartition, after, until, limit: batch };
    const due = await queryRecords<NoticesRef>(deps, query);
    const left = due.values();
    const worker = async (): Promise<void> => {
      for (const { value } of left) {
        await sendDue(deps, value).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    total += due.length;
    after = due.at(-1)?.key.sort;
    if (due.length < batch) break;
  }
  if (failures.length > 0) throw failures[0];
  return total;
}

/** How the deliveries of a run stand. */
export interface DeliveryProgress {
  /** Neither delivered nor given up. */
  readonly open: number;
  /** Unix ms from which on `deliverRun` has something to do; null when none is open. */
  readonly nextAttemptAtMs: number | null;
}

/**
 * Makes the attempts of one run that are due, up to 20 at once for each kind of notice: so it ends
 * after some 20 s at the latest. See `sendDue` for what is promised.
 */
export async function deliverRun(
  deps: DeliverDeps,
  tenant: string,
  run: number,
): Promise<DeliveryProgress> {
  const released: NoticesRef = { tenant, run, kind: 'released' };
  const restored: NoticesRef = { tenant, run, kind: 'restored' };
  const done = await Promise.allSettled([sendDue(deps, released), sendDue(deps, restored)]);
  for (const one of done) if (one.status === 'rejected') throw one.reason;
  const found = await getRecords(deps, [noticesKey(released), noticesKey(restored)]);
  const open = found.flatMap((record) => record?.value.deliveries.filter(isOpenDelivery) ?? []);
  const nowMs = deps.clock.nowMs();
  const timesMs = open.map(({ nextAttemptAt, claim }) =>
    // Somebody else is sending it: it may be done any moment.
    claim !== null && isClaimed({ claim }, nowMs)
      ? Math.min(claim.untilMs, nowMs + lookAgainMs)
      : Date.parse(nextAttemptAt ?? ''),
  );
  return { open: open.length, nextAttemptAtMs: open.length === 0 ? null : Math.min(...timesMs) };
}

/** Looks every second, until `stop`. */
export async function keepDelivering(
  deps: DeliverDeps & Pick<Deps, 'log'>,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await deliverDue(deps);
    } catch (error) {
      deps.log.error('delivering failed', { error });
    }
    await deps.clock.sleep(1000, stop);
  }
}
