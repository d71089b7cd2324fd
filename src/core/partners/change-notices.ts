import type { StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Conflict, Unavailable } from '../errors/app-error.ts';
import { commit } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { getRecord } from '../records.ts';
import {
  type Delivery,
  deliveryOf,
  type NoticesRecord,
  type NoticesRef,
  type PartnerDelivery,
} from './delivery.ts';
import { noticesWrites, withDelivery } from './ledger.ts';
import { noticesKey } from './partner-keys.ts';

type ChangeDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

const maxAttempts = 12;
const maxUnanswered = 3;

/**
 * Changes notices without a word in the journal: a claim, an attempt that failed. `decide` gets
 * what is there, also what an earlier, unanswered try of this call wrote; null: nothing to do.
 * Answers what is there in the end; undefined when there are no such notices.
 * Errors: `Unavailable`, after three tries without an answer; `Conflict` after 12 lost races.
 */
export async function changeNotices(
  deps: Pick<ChangeDeps, 'records' | 'clock' | 'ids'>,
  ref: NoticesRef,
  decide: (record: NoticesRecord) => NoticesRecord | null,
): Promise<NoticesRecord | undefined> {
  let unanswered = 0;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    try {
      const stored = await getRecord(deps, noticesKey(ref));
      const after = stored === undefined ? null : decide(stored.value);
      if (stored === undefined || after === null) return stored?.value;
      const written = await deps.records.commit(noticesWrites(stored, after), deps.ids.next());
      if (written === 'committed') return after;
    } catch (error) {
      unanswered += 1;
      if (!(error instanceof Unavailable) || unanswered === maxUnanswered) throw error;
    }
    // Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)
    await deps.clock.sleep(Math.random() * Math.min(500, 10 * 2 ** attempt));
  }
  throw new Conflict('Others keep changing the same deliveries. Repeat the call.');
}

/** What becomes of a delivery, and the verb for it: the journal has it as `delivery.<verb>`. */
interface DeliveryChange {
  readonly after: PartnerDelivery;
  readonly verb: string;
}

/**
 * Changes one delivery, and journals it under its run. `decide` may be called again, on fresh
 * reads; null: nothing to do. Answers the changed delivery, or null.
 */
export async function journalDelivery(
  deps: ChangeDeps,
  origin: Origin,
  ref: NoticesRef,
  decide: (stored: StoredRecord<NoticesRecord> | undefined) => Promise<DeliveryChange | null>,
): Promise<Delivery | null> {
  return commit<Delivery | null>(deps, origin, async () => {
    const stored = await getRecord(deps, noticesKey(ref));
    const change = await decide(stored);
    if (stored === undefined || change === null) return { kind: 'unchanged', result: null };
    const { after, verb } = change;
    const was = stored.value.deliveries.find(({ partner }) => partner === after.partner);
    const about = { id: after.id, partner: after.partner, kind: ref.kind };
    return {
      kind: 'change',
      entry: {
        action: `delivery.${verb}`,
        subject: `run:${ref.run}`,
        before: was === undefined ? null : { ...about, status: was.status },
        after: { ...about, status: after.status },
        reason: after.attempts.at(-1)?.detail ?? null,
      },
      writes: () => noticesWrites(stored, withDelivery(stored.value, after)),
      result: () => deliveryOf(stored.value, after),
    };
  });
}
