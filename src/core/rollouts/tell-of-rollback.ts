import type { Deps } from '../deps.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import { Conflict } from '../errors/app-error.ts';
import type { DeliveryStatus, NoticesRef, PartnerDelivery } from '../partners/delivery.ts';
import { noticesKey } from '../partners/partner-keys.ts';
import { noticedPolicy } from './notice-writes.ts';
import { restoreNotices, type TakenBack } from '../partners/deliveries.ts';
import { deliveryWrites } from '../partners/delivery-writes.ts';
import { policyPartition, timelinePrefix } from '../policies/policy-keys.ts';
import type { ChangedLane, TimelineEntry } from '../policies/timeline-entry.ts';
import { getRecord, queryRecords } from '../records.ts';

type TellDeps = Pick<Deps, 'records' | 'clock' | 'ids'>;

/** Releases that are looked through for the one that was taken back. */
const maxLookedAt = 200;
const maxAttempts = 5;

/**
 * After a rollback of a rule that a run had released: whoever was told of the release is told of
 * its end. Who was not told yet is not, unless the release has other policies that still hold:
 * then both. Safe to repeat: each rollback is told once.
 */
export async function tellOfRollback(
  deps: TellDeps,
  tenant: string,
  entry: JournalEntry,
): Promise<void> {
  if (entry.action !== 'policy.rolledback' || entry.before === null) return;
  const before = entry.before as unknown as ChangedLane;
  const after = entry.after as unknown as ChangedLane;
  if (before.snapshot === after.snapshot) return;
  const run = await releaseOf(deps, tenant, entry, before);
  if (run === null) return;
  const ref: NoticesRef = { tenant, run, kind: 'restored', entry: entry.index };
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if ((await getRecord(deps, noticesKey(ref))) !== undefined) return;
    if (await tell(deps, ref, entry, after)) return;
  }
  throw new Conflict(`The notices of run ${run} keep changing.`);
}

/** False when an attempt to deliver has just ended: decide anew. */
async function tell(
  deps: TellDeps,
  ref: NoticesRef,
  entry: JournalEntry,
  after: ChangedLane,
): Promise<boolean> {
  const { told, writes } = await whomToTell(deps, ref);
  if (told.length === 0 && writes.every(({ kind }) => kind === 'check')) return true;
  const notices = deliveryWrites(deps, {
    ...ref,
    channel: after.channel,
    policies: [noticedPolicy(entry.subject, after)],
    partners: told,
    reason: entry.reason,
    at: entry.at,
  });
  const done = await deps.records.commit([...writes, ...notices], deps.ids.next());
  return done === 'committed';
}

async function whomToTell(deps: TellDeps, { tenant, run }: NoticesRef): Promise<TakenBack> {
  const released = await getRecord(deps, noticesKey({ tenant, run, kind: 'released' }));
  if (released === undefined || released.value.policies.length === 1) {
    return restoreNotices(deps, tenant, run);
  }
  const hears = ({ status }: PartnerDelivery) => !deaf.has(status);
  const told = released.value.deliveries.filter(hears).map(({ partner }) => partner);
  return { told, writes: [] };
}

/** Who never heard of the release, and will not. */
const deaf: ReadonlySet<DeliveryStatus> = new Set(['gone', 'exhausted', 'collapsed']);

/** The run that put a snapshot into force, if one did. */
async function releaseOf(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  { subject, at }: JournalEntry,
  { channel, snapshot }: ChangedLane,
): Promise<number | null> {
  const prefix = timelinePrefix(channel);
  const found = await queryRecords<TimelineEntry>(deps, {
    partition: policyPartition(tenant, subject),
    prefix,
    after: `${prefix}${at}~`,
    order: 'desc',
    limit: maxLookedAt,
  });
  const release = found.find(
    ({ value }) => value.action === 'run.released' && value.changed.snapshot === snapshot,
  );
  return release?.value.changed.run ?? null;
}
