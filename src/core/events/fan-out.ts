import type { BusEvent } from '../../ports/event-bus.ts';
import { AppError } from '../errors/app-error.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import { tenantOfJournal } from '../journal/journal-keys.ts';
import type { RelayDeps } from '../journal/relay-journal.ts';
import { isJobJournal } from '../jobs/job-keys.ts';
import { type SubmitDeps, submitJob } from '../jobs/submit-job.ts';
import { type EventDelivery, eventDeliver, logOfJournal } from './event-delivery.ts';
import { openEventsOf } from './published-events.ts';
import { subscriptions } from './subscriptions.ts';

/**
 * Makes a job of each event of an entry for each service that subscribes to it: who subscribes when
 * the event is relayed. Safe to repeat: within 7 days each job is made once. An entry without such
 * events costs nothing. Errors: those of `submitJob`; the relay calls it again.
 */
export function fanOut(deps: SubmitDeps): NonNullable<RelayDeps['react']> {
  const subscribersOf = subscriptions(deps);
  return async (journal, entry) => {
    if (!isJobJournal(journal)) return;
    const tenant = tenantOfJournal(journal);
    for (const event of openEventsOf(journal, entry)) {
      const services = await subscribersOf(tenant, event.type);
      await Promise.all(
        services.map((service) => submitDelivery(deps, tenant, journal, { entry, event, service })),
      );
    }
  };
}

interface Delivery {
  readonly entry: JournalEntry;
  readonly event: BusEvent;
  readonly service: string;
}

async function submitDelivery(
  deps: SubmitDeps,
  tenant: string,
  journal: string,
  { entry, event, service }: Delivery,
): Promise<void> {
  const { index, requestId } = entry;
  const origin: Origin = { tenant, actor: 'hms-svc', requestId };
  const { type, id } = event;
  const data: EventDelivery = { service, type, event: id, log: logOfJournal(journal), index };
  try {
    await submitJob(deps, origin, {
      type: eventDeliver,
      data: { ...data },
      priority: 'normal',
      notBeforeMs: null,
      maxAttempts: null,
      subject: `service:${service}`,
      idempotencyKey: `${journal}/${index}/${id}/${service}`,
      reason: null,
    });
  } catch (error) {
    // It was made by a version that asks for other attempts.
    if (error instanceof AppError && error.code === 'idempotency_key_reused') return;
    throw error;
  }
}
