import type { Attempt } from '../../ports/partner-transport.ts';
import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import {
  type DeliveryStatus,
  isOpenDelivery,
  type NoticesRecord,
  noticesRefOf,
  type PartnerDelivery,
} from './delivery.ts';
import { dueKey, noticesKey } from './partner-keys.ts';
import { deadlineMs, nextAttemptMs } from './schedule.ts';

/** What becomes of notices: pure functions from one record to the next. */

const maxAttempts = 16;
const maxDetailChars = 300;
/** Three times what an attempt may take. */
const claimMs = 60_000;

/** Open, its time has come, and nobody is sending it. */
export function isDue(delivery: PartnerDelivery, nowMs: number): boolean {
  const { nextAttemptAt, claim } = delivery;
  return (
    isOpenDelivery(delivery) &&
    nextAttemptAt !== null &&
    Date.parse(nextAttemptAt) <= nowMs &&
    !isClaimed({ claim }, nowMs)
  );
}

/** Somebody is sending it. */
export function isClaimed({ claim }: Pick<PartnerDelivery, 'claim'>, nowMs: number): boolean {
  return claim !== null && claim.untilMs > nowMs;
}

/** Takes those of these partners that are due: nobody else sends them while the claim lasts. */
export function claimDue(
  record: NoticesRecord,
  partners: ReadonlySet<string>,
  id: string,
  nowMs: number,
): NoticesRecord {
  return changed(record, (delivery) =>
    partners.has(delivery.partner) && isDue(delivery, nowMs)
      ? { ...delivery, claim: { id, untilMs: nowMs + claimMs } }
      : delivery,
  );
}

export function holdsClaim({ claim }: PartnerDelivery, id: string): boolean {
  return claim?.id === id;
}

/** After an attempt: it has ended, or waits for the next. */
export function afterAttempt(
  delivery: PartnerDelivery,
  { outcome, detail }: Attempt,
  nowMs: number,
): PartnerDelivery {
  const tries = delivery.tries + 1;
  const made = { at: iso(nowMs), outcome, detail: oneLine(detail) };
  const attempts = [...delivery.attempts, made].slice(-maxAttempts);
  const next = { ...delivery, attempts, tries, claim: null };
  if (outcome !== 'failed') return ended(next, outcome);
  const againMs = nextAttemptMs(tries, nowMs, Date.parse(delivery.deadlineAt));
  if (againMs === null) return ended(next, 'exhausted');
  return { ...next, status: 'retrying', nextAttemptAt: iso(againMs) };
}

export function ended(delivery: PartnerDelivery, status: DeliveryStatus): PartnerDelivery {
  return { ...delivery, status, nextAttemptAt: null, claim: null };
}

/** A schedule as for a new one, at a person's wish. */
export function restarted(delivery: PartnerDelivery, nowMs: number): PartnerDelivery {
  return {
    ...delivery,
    status: 'pending',
    tries: 0,
    nextAttemptAt: iso(nowMs),
    deadlineAt: iso(nowMs + deadlineMs),
    claim: null,
    insisted: true,
  };
}

/** With the delivery of one partner replaced. */
export function withDelivery(record: NoticesRecord, delivery: PartnerDelivery): NoticesRecord {
  return changed(record, (was) => (was.partner === delivery.partner ? delivery : was));
}

export function changed(
  record: NoticesRecord,
  change: (delivery: PartnerDelivery) => PartnerDelivery,
): NoticesRecord {
  const deliveries = record.deliveries.map(change);
  return { ...record, deliveries, dueAt: firstDue(deliveries) };
}

/** Writes the record, and moves its entry among those that are due where that changes. */
export function noticesWrites(
  { value: before, rev }: Pick<StoredRecord<NoticesRecord>, 'value' | 'rev'>,
  after: NoticesRecord,
): RecordWrite[] {
  const ref = noticesRefOf(after);
  const writes: RecordWrite[] = [{ kind: 'put', key: noticesKey(ref), value: after, expect: rev }];
  if (before.dueAt === after.dueAt) return writes;
  if (before.dueAt !== null) {
    writes.push({ kind: 'delete', key: dueKey(ref, before.dueAt), expect: 1 });
  }
  if (after.dueAt !== null) {
    writes.push({ kind: 'put', key: dueKey(ref, after.dueAt), value: ref, expect: 'absent' });
  }
  return writes;
}

function firstDue(deliveries: readonly PartnerDelivery[]): string | null {
  let first: string | null = null;
  for (const { nextAttemptAt } of deliveries) {
    if (nextAttemptAt !== null && (first === null || nextAttemptAt < first)) first = nextAttemptAt;
  }
  return first;
}

function oneLine(detail: string): string {
  return detail.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, maxDetailChars);
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
