import * as z from 'zod';
import { eventTypePattern, manifestLimits } from '../core/registry/check-manifest.ts';
import { serviceNamePattern } from '../core/registry/service-keys.ts';
import { pageOf, timestamp } from './values.ts';

const limits = manifestLimits;

export const serviceName = z
  .string()
  .regex(serviceNamePattern, 'a service is named by 1 to 63 of a-z 0-9 -, with a letter first')
  .meta({ example: 'voucher-eligibility' });

export const eventType = z
  .string()
  .max(limits.maxEventTypeChars)
  .regex(eventTypePattern, 'a type of events: a-z 0-9, with . _ or - between')
  .meta({ example: 'voucher-submitted' });

const url = z.string().max(limits.maxUrlChars);
const path = z.string().max(limits.maxPathChars);
const threshold = z.int().min(1).max(limits.maxThreshold);

const subscription = z.strictObject({ type: eventType, path: path.default('/events') });

const healthCheck = z.strictObject({
  path: path.default('/health').describe('Of the page that answers 2xx while the service is well'),
  intervalS: z
    .int()
    .min(limits.intervalS.min)
    .max(limits.intervalS.max)
    .default(10)
    .describe('Between two probes; they come closer while it is not settled whether it is up'),
  timeoutMs: z.int().min(limits.probeTimeoutMs.min).max(limits.probeTimeoutMs.max).default(2000),
  rise: threshold.default(2).describe('Probes in a row that bring one back that was down'),
  fall: threshold.default(2).describe('Probes in a row that fail before it gets no traffic'),
});

const events = z.strictObject({
  publishes: z
    .array(eventType)
    .max(limits.maxEventTypes)
    .default([])
    .describe('Types that it may publish by `POST /events`'),
  subscribes: z
    .array(
      z.union([eventType.transform((type) => ({ type, path: '/events' })), subscription], {
        error: 'the type of an event, or an object with `type` and `path`',
      }),
    )
    .max(limits.maxEventTypes)
    .default([])
    .describe('They come by POST to `path`, `/events` for a type alone'),
});

/** What a service says of itself, as JSON or YAML. */
export const serviceManifest = z
  .strictObject({
    name: serviceName.optional().describe('That of the address, when it is left out'),
    url: url.describe('Where it is: http or https, without a query; a path in it is kept'),
    replicas: z
      .array(url)
      .max(limits.maxReplicas)
      .default([])
      .describe('More of the same: calls are spread over all of them'),
    secondaryUrl: url
      .nullable()
      .default(null)
      .describe('Another region: gets the calls while nothing of the first is up'),
    routes: z
      .array(path)
      .min(1)
      .max(limits.maxRoutes)
      .default(['/'])
      .describe('What the gateway lets through: paths, each with all that is below it'),
    events: events.prefault({}),
    health: healthCheck.prefault({}),
    timeoutMs: z
      .int()
      .min(limits.callTimeoutMs.min)
      .max(limits.callTimeoutMs.max)
      .default(15_000)
      .describe('How long one call may take, with all its tries'),
  })
  .meta({ id: 'ServiceManifest' });

export const healthColour = z.enum(['green', 'yellow', 'red']).meta({
  id: 'HealthColour',
  description: '`yellow`: it works, but not as it should; `red`: it gets no traffic',
});

const targetHealth = z
  .object({
    url: z.string(),
    role: z.enum(['primary', 'secondary']),
    up: z.boolean().describe('Whether calls go to it'),
    since: timestamp,
    reason: z.string().describe('Of the latest probe'),
    probedAt: timestamp.nullable().describe('Recorded once a minute while nothing changes'),
    tookMs: z.int().nullable(),
  })
  .meta({ id: 'TargetHealth' });

const colour = { status: healthColour, reason: z.string(), since: timestamp } as const;

/** With everything in its place: it can be put again as it is. */
const fullManifest = z
  .object({
    name: serviceName,
    url: z.string(),
    replicas: z.array(z.string()),
    secondaryUrl: z.string().nullable(),
    routes: z.array(z.string()),
    events: z.object({
      publishes: z.array(eventType),
      subscribes: z.array(z.object({ type: eventType, path: z.string() })),
    }),
    health: z.object({
      path: z.string(),
      intervalS: z.int(),
      timeoutMs: z.int(),
      rise: z.int(),
      fall: z.int(),
    }),
    timeoutMs: z.int(),
  })
  .meta({ id: 'FullManifest', description: 'A manifest with every default in its place' });

export const service = z
  .object({
    name: serviceName,
    manifest: fullManifest,
    health: z.object({ ...colour, targets: z.array(targetHealth) }),
    registeredAt: timestamp,
    changedAt: timestamp,
    changedBy: z.string(),
  })
  .meta({ id: 'Service' });

export const storedService = service
  .extend({ status: z.enum(['registered', 'changed', 'unchanged']) })
  .meta({ id: 'StoredService' });

export const servicePage = pageOf(service).meta({ id: 'ServicePage' });

export const overallHealth = z
  .object({
    status: healthColour.describe('The worst of all that follows'),
    services: z.record(serviceName, z.object(colour)),
    parts: z
      .record(z.string(), z.object({ status: healthColour, reason: z.string() }))
      .describe('Of our own: what all services rest on'),
  })
  .meta({ id: 'Health' });
