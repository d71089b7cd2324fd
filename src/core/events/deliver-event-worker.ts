import type { BusEvent } from '../../ports/event-bus.ts';
import type { Notice } from '../../ports/partner-transport.ts';
import type { Deps } from '../deps.ts';
import { entryKey } from '../journal/journal-keys.ts';
import {
  type DataSchema,
  defineWorker,
  type HandlerContext,
  type JobContext,
  type Validator,
  type Worker,
} from '../jobs/define-worker.ts';
import { sha256Hex } from '../packages/digest.ts';
import { healthKey, serviceKey, serviceSecret } from '../registry/service-keys.ts';
import type { ServiceManifest, ServiceSubscription } from '../registry/service-record.ts';
import { continueTrace } from '../tracing/trace-context.ts';
import type { Json } from '../values/json.ts';
import { chooseDeliveryTarget } from './choose-delivery-target.ts';
import { type EventDelivery, eventDeliver, journalOfLog } from './event-delivery.ts';
import { eventIdPattern } from './publish-event.ts';
import { openEventsOf } from './published-events.ts';
import { newSigningSecret } from './signing-secret.ts';

interface DeliverParts extends Pick<Deps, 'clock' | 'secrets' | 'partners'> {
  readonly schema: DataSchema<EventDelivery>;
}

/** 1 s, 2 s, 4 s … 1 h between attempts: four hours in all, at the most. */
const retry = { maxAttempts: 16, baseMs: 1000, maxMs: 3_600_000 };
/** An attempt of the transport ends after 20 s. */
const timeoutMs = 30_000;
/** They mostly wait for others. */
const concurrency = 50;

const published: Validator<EventDelivery> = {
  name: 'published',
  check: async (context) => {
    const { tenant, data, tx } = context;
    // All that is needed later, in one round trip.
    await tx.getMany<unknown>([
      entryKey(journalOfLog(tenant, data.log), data.index),
      serviceKey(tenant, data.service),
      healthKey(tenant, data.service),
    ]);
    return (await eventOf(context)) === undefined ? 'no such event was published' : null;
  },
};

const subscribed: Validator<EventDelivery> = {
  name: 'subscribed',
  check: async (context) => {
    const { service, type } = context.data;
    const found = await subscriptionOf(context);
    if (found === 'none') return `there is no service ${service} any more`;
    return found === 'other' ? `${service} does not subscribe to ${type} any more` : null;
  },
};

/**
 * Brings an event to a service that subscribes to it (`event.deliver`): one POST, signed as Standard
 * Webhooks, of a CloudEvent whose `data` is what was published. 2xx completes the job, and so does
 * 410, by which the service says that it does not want it; all else fails the attempt. The event and
 * its `webhook-id` are the same in every attempt.
 *
 * A service that was never given a key gets events signed with one that nobody has.
 *
 * The result: `{outcome, target, detail}`.
 */
export function deliverEventWorker({ schema, ...deps }: DeliverParts): Worker {
  return defineWorker<EventDelivery>({
    type: eventDeliver,
    isInternal: true,
    schema,
    validators: [published, subscribed],
    handler: async (context) => deliver(deps, context),
    retry,
    timeoutMs,
    concurrency,
  });
}

async function deliver(
  { clock, secrets, partners }: Omit<DeliverParts, 'schema'>,
  context: HandlerContext<EventDelivery>,
): Promise<Json> {
  const { tenant, job, data, tx, signal } = context;
  const event = await eventOf(context);
  const found = await subscriptionOf(context);
  // Both were there a moment ago, in this very transaction.
  if (event === undefined || typeof found === 'string') throw new Error('The event is gone.');
  const { manifest, subscription } = found;
  const health = await tx.get(healthKey(tenant, data.service));
  const turn = data.index + job.attempts;
  const target = chooseDeliveryTarget(manifest, health, turn, clock.nowMs());
  if ('reason' in target) throw new Error(`The service is red: ${target.reason}.`);
  const known = await secrets.get(serviceSecret({ tenant, name: data.service }));
  signal.throwIfAborted();
  const url = `${target.url}${subscription.path}`;
  const notice = noticeOf(tenant, event, clock.nowMs());
  const sent = await partners.send({ kind: 'webhook', url }, known ?? newSigningSecret(), notice);
  const { outcome, detail } = sent;
  if (outcome === 'failed') throw new Error(detail);
  return { outcome: outcome === 'gone' ? 'gone' : 'delivered', target: target.role, detail };
}

async function eventOf({
  tenant,
  data,
  tx,
}: JobContext<EventDelivery>): Promise<BusEvent | undefined> {
  const journal = journalOfLog(tenant, data.log);
  const entry = await tx.get(entryKey(journal, data.index));
  const events = entry === undefined ? [] : openEventsOf(journal, entry);
  return events.find(({ id, type }) => id === data.event && type === data.type);
}

interface Subscribed {
  readonly manifest: ServiceManifest;
  readonly subscription: ServiceSubscription;
}

/** `other`: it subscribes to other events. */
async function subscriptionOf({
  tenant,
  data,
  tx,
}: JobContext<EventDelivery>): Promise<Subscribed | 'none' | 'other'> {
  const service = await tx.get(serviceKey(tenant, data.service));
  if (service === undefined) return 'none';
  const { manifest } = service;
  const subscription = manifest.events.subscribes.find(({ type }) => type === data.type);
  return subscription === undefined ? 'other' : { manifest, subscription };
}

/** The same in every attempt, but for its time. */
function noticeOf(tenant: string, event: BusEvent, nowMs: number): Notice {
  const { data: told, ...envelope } = event;
  const { data } = told as { readonly data: Json };
  return {
    id: webhookId(event),
    timestampS: Math.floor(nowMs / 1000),
    type: event.type,
    title: event.type,
    text: `${event.type} ${event.subject}`,
    body: JSON.stringify({ ...envelope, tenant, data }),
    // Each attempt is a span of its own.
    traceparent: continueTrace(event.traceparent, undefined).traceparent,
  };
}

/** The id of the event, or what stands for it: one that a job emitted has dots and slashes in it. */
function webhookId({ id }: BusEvent): string {
  if (eventIdPattern.test(id)) return id;
  return `event-${sha256Hex(new TextEncoder().encode(id)).slice(0, 40)}`;
}
