import type { Attempt } from '../../ports/partner-transport.ts';
import type { Deps } from '../deps.ts';
import { getRecord, getRecords } from '../records.ts';
import { continueTrace } from '../tracing/trace-context.ts';
import { changeNotices, journalDelivery } from './change-notices.ts';
import {
  type DeliveryStatus,
  isOpenDelivery,
  type NoticesRecord,
  type NoticesRef,
  type PartnerDelivery,
} from './delivery.ts';
import { afterAttempt, claimDue, ended, holdsClaim, isDue, withDelivery } from './ledger.ts';
import { noticeOf } from './notice-of.ts';
import type { PartnerTarget } from './partner.ts';
import { noticesKey, partnerKey, partnerSecret } from './partner-keys.ts';
import { supersededPartners } from './superseded.ts';

export type DeliverDeps = Pick<
  Deps,
  'records' | 'clock' | 'ids' | 'signal' | 'log' | 'secrets' | 'partners'
>;

/** Who the journal names for what the service does by itself. */
const deliverer = 'hms-svc';

interface Recipient {
  readonly target: PartnerTarget;
  readonly secret: string | undefined;
}

/** What is to be done about each partner that is due. */
interface Plan {
  readonly recipients: ReadonlyMap<string, Recipient>;
  readonly endings: ReadonlyMap<string, DeliveryStatus>;
}

/**
 * Makes the attempts of these notices that are due, all of them at once, and records how each
 * ended. What a partner or the network does is no error.
 *
 * An attempt is claimed before it is made: two callers never make the same one. Who is killed in
 * between leaves a claim that lapses after 60 s; then the notice is sent again under the same id,
 * so each partner gets it at least once.
 * Errors: `Unavailable`, `Conflict`, once all that could be done is done; the next call goes on.
 */
export async function sendDue(deps: DeliverDeps, ref: NoticesRef): Promise<void> {
  const stored = await getRecord(deps, noticesKey(ref));
  const nowMs = deps.clock.nowMs();
  const due = stored?.value.deliveries.filter((delivery) => isDue(delivery, nowMs)) ?? [];
  if (stored === undefined || due.length === 0) return;
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  // Before the claim: what fails here costs the partner no attempt.
  const { recipients, endings } = await planOf(deps, stored.value, due, failed);
  for (const [partner, status] of endings) {
    await endUnsent(deps, ref, partner, status).catch(failed);
  }
  if (recipients.size > 0) await sendAll(deps, ref, recipients, failed).catch(failed);
  if (failures.length > 0) throw failures[0];
}

async function planOf(
  deps: DeliverDeps,
  record: NoticesRecord,
  due: readonly PartnerDelivery[],
  failed: (error: unknown) => void,
): Promise<Plan> {
  const { tenant } = record;
  const keys = due.map(({ partner }) => partnerKey(tenant, partner));
  const [partners, superseded] = await Promise.all([
    getRecords(deps, keys),
    supersededPartners(deps, record),
  ]);
  const recipients = new Map<string, Recipient>();
  const endings = new Map<string, DeliveryStatus>();
  await Promise.all(
    due
      .map(async ({ partner, insisted, deadlineAt }, place) => {
        const target = partners[place]?.value.target;
        if (target === undefined) endings.set(partner, 'gone');
        else if (!insisted && superseded.has(partner)) endings.set(partner, 'collapsed');
        else if (Date.parse(deadlineAt) < deps.clock.nowMs()) endings.set(partner, 'exhausted');
        else {
          const secret = await deps.secrets.get(partnerSecret(tenant, partner));
          recipients.set(partner, { target, secret });
        }
      })
      .map((work) => work.catch(failed)),
  );
  return { recipients, endings };
}

async function endUnsent(
  deps: DeliverDeps,
  ref: NoticesRef,
  partner: string,
  status: DeliveryStatus,
): Promise<void> {
  await journalEnd(deps, ref, (record) => {
    const delivery = deliveryTo(record, partner);
    if (delivery === undefined || !isDue(delivery, deps.clock.nowMs())) return null;
    return ended(delivery, status);
  });
}

async function sendAll(
  deps: DeliverDeps,
  ref: NoticesRef,
  recipients: ReadonlyMap<string, Recipient>,
  failed: (error: unknown) => void,
): Promise<void> {
  const claim = deps.ids.next();
  const partners = new Set(recipients.keys());
  const record = await changeNotices(deps, ref, (found) => {
    const after = claimDue(found, partners, claim, deps.clock.nowMs());
    // Also those that an earlier try claimed, whose answer was lost.
    return after.deliveries.some((delivery) => holdsClaim(delivery, claim)) ? after : null;
  });
  const claimed = record?.deliveries.filter((delivery) => holdsClaim(delivery, claim)) ?? [];
  // One after another, since all of them write the same record.
  let recorded = Promise.resolve();
  await Promise.all(
    claimed.map(async (delivery) => {
      const recipient = recipients.get(delivery.partner);
      if (record === undefined || recipient === undefined) return;
      // Nobody's trace goes on here: a notice comes of a run, hours after anybody's call.
      const { traceparent, traceId } = continueTrace(undefined, undefined);
      const attempt = await attemptOf(deps, record, delivery, { ...recipient, traceparent });
      recorded = recorded
        .then(() => recordAttempt(deps, ref, delivery, { ...attempt, traceId }))
        .catch(failed);
      await recorded;
    }),
  );
}

async function attemptOf(
  deps: DeliverDeps,
  record: NoticesRecord,
  delivery: PartnerDelivery,
  { target, secret, traceparent }: Recipient & { readonly traceparent: string },
): Promise<Attempt> {
  const { tenant, run } = record;
  try {
    const notice = { ...noticeOf(record, delivery, deps.clock.nowMs()), traceparent };
    return await deps.partners.send(target, secret, notice);
  } catch (error) {
    // A defect. Unrecorded, it would be tried for ever.
    deps.log.error('delivery broke', { tenant, run, partner: delivery.partner, error });
    return { outcome: 'failed', detail: 'The attempt broke on our side; the log tells why.' };
  }
}

async function recordAttempt(
  deps: DeliverDeps,
  ref: NoticesRef,
  claimed: PartnerDelivery,
  { traceId, ...attempt }: Attempt & { readonly traceId: string },
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const next = (record: NoticesRecord): PartnerDelivery | null => {
    const delivery = deliveryTo(record, claimed.partner);
    const isOurs =
      delivery !== undefined && claimed.claim !== null && holdsClaim(delivery, claimed.claim.id);
    // Else the claim had lapsed, and somebody sent it again: their outcome counts.
    return isOurs ? afterAttempt(delivery, attempt, nowMs) : null;
  };
  const { id, partner } = claimed;
  const { outcome, detail } = attempt;
  const about = { tenant: ref.tenant, traceId, id, partner };
  deps.log.info('delivery attempted', { ...about, outcome, detail });
  if (!isOpenDelivery(afterAttempt(claimed, attempt, nowMs))) {
    await journalEnd(deps, ref, next);
    return;
  }
  await changeNotices(deps, ref, (record) => {
    const after = next(record);
    return after === null ? null : withDelivery(record, after);
  });
}

async function journalEnd(
  deps: DeliverDeps,
  ref: NoticesRef,
  decide: (record: NoticesRecord) => PartnerDelivery | null,
): Promise<void> {
  const origin = { tenant: ref.tenant, actor: deliverer, requestId: deps.ids.next() };
  await journalDelivery(deps, origin, ref, async (stored) => {
    const after = stored === undefined ? null : decide(stored.value);
    return after === null ? null : { after, verb: after.status };
  });
}

function deliveryTo(record: NoticesRecord, partner: string): PartnerDelivery | undefined {
  return record.deliveries.find((delivery) => delivery.partner === partner);
}
