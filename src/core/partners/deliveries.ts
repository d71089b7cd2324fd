import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Conflict, NotFound } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { getRecord, queryRecords } from '../records.ts';
import { journalDelivery } from './change-notices.ts';
import {
  type Delivery,
  deliveryOf,
  isOpenDelivery,
  noticesOfId,
  type NoticesRecord,
  type PartnerDelivery,
} from './delivery.ts';
import { changed, ended, isClaimed, noticesWrites, restarted } from './ledger.ts';
import { noticesKey, noticesPartition, noticesPrefix, partnerKey } from './partner-keys.ts';

/** Notices of a run that are shown: its release, and each time that something was taken back. */
const maxNotices = 50;

/** All deliveries of a run: first those of its release. None for an unknown run. */
export async function listDeliveries(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  run: number,
): Promise<readonly Delivery[]> {
  const found = await queryRecords<NoticesRecord>(deps, {
    partition: noticesPartition(tenant),
    prefix: noticesPrefix(run),
    limit: maxNotices,
  });
  return found.flatMap(({ value }) => value.deliveries.map((one) => deliveryOf(value, one)));
}

/**
 * Begins the schedule of a delivery that has ended anew, at once, under the same id; newer notices
 * do not replace it. Errors: `NotFound`; `Conflict` for one that is still open, or acknowledged.
 */
export async function redeliver(
  deps: Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  id: string,
): Promise<Delivery> {
  const { tenant } = origin;
  const unknown = () =>
    new NotFound('There is no such delivery. The deliveries of a run name theirs.');
  const ref = noticesOfId(tenant, id);
  if (ref === undefined) throw unknown();
  const delivery = await journalDelivery(deps, origin, ref, async (stored) => {
    const held = stored?.value.deliveries.find((one) => one.id === id);
    if (held === undefined) throw unknown();
    if (isOpenDelivery(held)) throw new Conflict('It is being delivered already.');
    if (held.status === 'acked') throw new Conflict('The partner has acknowledged it already.');
    if ((await getRecord(deps, partnerKey(tenant, held.partner))) === undefined) {
      throw new NotFound(`The partner "${held.partner}" was deleted: put it again first.`);
    }
    return { after: restarted(held, deps.clock.nowMs()), verb: 'redelivered' };
  });
  if (delivery === null) throw unknown();
  return delivery;
}

/** What the release of a run has come to among its partners. */
export interface TakenBack {
  /** Who was told, or may have been in a moment that nobody recorded: whom to tell of the restore. */
  readonly told: readonly string[];
  /** For the commit that takes the release back: collapses what was not told yet. */
  readonly writes: readonly RecordWrite[];
}

/**
 * For a release that is taken back. Call it in the `decide` of that commit, and put `writes` into
 * it, beside `deliveryWrites` for those `told`: an attempt that ends meanwhile makes the commit
 * fail, and be decided anew. An attempt that is under way goes on; should it fail, the notice of
 * the restore replaces it.
 */
export async function restoreNotices(
  deps: Pick<Deps, 'records' | 'clock'>,
  tenant: string,
  run: number,
): Promise<TakenBack> {
  const key = noticesKey({ tenant, run, kind: 'released' });
  const stored = await getRecord(deps, key);
  if (stored === undefined) return { told: [], writes: [{ kind: 'check', key, expect: 'absent' }] };
  const { deliveries } = stored.value;
  const told = deliveries.filter(mayHaveBeenTold).map(({ partner }) => partner);
  const nowMs = deps.clock.nowMs();
  const isUntold = (delivery: PartnerDelivery): boolean =>
    isOpenDelivery(delivery) && !isClaimed(delivery, nowMs);
  if (!deliveries.some(isUntold)) {
    return { told, writes: [{ kind: 'check', key, expect: stored.rev }] };
  }
  const after = changed(stored.value, (delivery) =>
    isUntold(delivery) ? ended(delivery, 'collapsed') : delivery,
  );
  return { told, writes: noticesWrites(stored, after) };
}

function mayHaveBeenTold({ status, claim }: PartnerDelivery): boolean {
  // Whoever left a claim behind may have sent it before they were killed.
  return status === 'delivered' || status === 'acked' || claim !== null;
}
