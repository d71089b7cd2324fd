import * as z from 'zod';
import { eventIdPattern, maxEventDataBytes } from '../core/events/publish-event.ts';
import { jobJson } from './job-schemas.ts';
import { eventType } from './service-schemas.ts';
import { oneLine, timestamp } from './values.ts';

const eventName = z
  .string()
  .regex(eventIdPattern, 'an id is 1 to 128 of A-Z a-z 0-9 _ -')
  .meta({ example: 'voucher-7-submitted' });

export const newEvent = z
  .strictObject({
    type: eventType.describe(
      'What happened. Types that begin with job. policy. run. delivery. or service. are our own',
    ),
    data: jobJson.describe(`Any JSON, of at most ${maxEventDataBytes} bytes`),
    subject: oneLine(256).optional().describe('What it is about, such as `VOUCHER-7`'),
    id: eventName.optional().describe('Chosen by the caller: a repeat with the same is no news'),
  })
  .meta({ id: 'NewEvent' });

export const acceptedEvent = z
  .object({ id: z.string(), status: z.literal('accepted') })
  .meta({ id: 'AcceptedEvent' });

const told = {
  tenant: z.string(),
  action: z.string().describe('The type of the event'),
  subject: z.string().describe('What it is about'),
  data: jobJson,
  index: z.int().describe('The entry in its journal'),
  at: timestamp,
} as const;

/** A message of the stream of events. */
export const eventMessage = z
  .object({
    ...told,
    event: z.string().describe('The id of the event'),
    actor: z.string().optional().describe('Who published it'),
    job: z.string().optional().describe('The job that emitted it'),
  })
  .meta({ id: 'EventMessage' });

const traceparent = z
  .string()
  .optional()
  .describe(
    'W3C trace context of the call that published it; an extension attribute of CloudEvents',
  );

/** CloudEvents 1.0, in JSON: the `detail` of an EventBridge event. */
export const publishedEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('As it was answered; a repeat has the same'),
    source: z.literal('hms.events'),
    type: z.string(),
    subject: z.string().describe('As it was published, else `event:` and the id'),
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    traceparent,
    data: z.object({ ...told, event: z.string(), actor: z.string() }),
  })
  .meta({ id: 'PublishedEvent' });

/** What a service is sent. */
export const deliveredEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('With `source`, unique: drop what you have seen'),
    source: z.enum(['hms.events', 'hms.jobs']),
    type: z.string(),
    subject: z.string(),
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    traceparent,
    tenant: z.string(),
    data: jobJson.describe('As it was published, or emitted by a job'),
  })
  .meta({ id: 'DeliveredEvent' });

export const signingSecret = z
  .object({ secret: z.string().describe('`whsec_` and base64; it is not shown again') })
  .meta({ id: 'SigningSecret' });
