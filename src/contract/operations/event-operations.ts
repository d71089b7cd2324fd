import * as z from 'zod';
import { acceptedEvent, newEvent, signingSecret } from '../event-schemas.ts';
import type { Operation } from '../operation.ts';
import { eventType, serviceName } from '../service-schemas.ts';
import { idempotencyKey, journalPositions } from '../values.ts';

const none = z.object({});

/** What services tell each other. */
export const eventOperations = {
  publishEvent: {
    id: 'publishEvent',
    method: 'post',
    path: '/events',
    part: 'jobs',
    scope: 'write:event',
    tag: 'Events',
    summary: 'Publish an event: every service that subscribes to its type gets it',
    description:
      'Stored when this answers; delivered later, at least once to each. A repeat of the same event ' +
      'within 7 days, by its `id` or else by its `Idempotency-Key`, answers the same and does nothing.',
    params: none,
    query: none,
    headers: z.object({ 'idempotency-key': idempotencyKey.optional() }),
    body: { kind: 'json', schema: newEvent, maxBytes: 128 * 1024 },
    responses: {
      202: {
        description: 'Published',
        schema: acceptedEvent,
        headers: { 'Idempotent-Replayed': '`true` when the same was published before' },
      },
    },
    problems: ['idempotency_key_reused', 'conflict'],
  },
  streamEvents: {
    id: 'streamEvents',
    method: 'get',
    path: '/api/stream/events',
    part: 'stream',
    scope: 'read:job',
    tag: 'Events',
    summary: 'Every event that services may subscribe to, as it happens (Server-Sent Events)',
    description:
      'Those that were published, and those that jobs emitted. `id:` is the position in each journal ' +
      'of jobs, with dots between; `data:` is an `EventMessage`. Reconnect with `Last-Event-ID` and ' +
      'nothing is missed. Without it, the stream begins with the next event.',
    params: none,
    query: z.object({
      type: eventType.optional().describe('All types unless named'),
      lastEventId: journalPositions
        .optional()
        .describe('For clients that cannot set the header; the header wins'),
    }),
    headers: z.object({ 'last-event-id': journalPositions.optional() }),
    responses: {
      200: {
        description: 'The stream; a comment line every 15 s keeps it open',
        contentTypes: ['text/event-stream'],
      },
    },
    problems: ['unavailable'],
  },
  rotateSecret: {
    id: 'rotateSecret',
    method: 'post',
    path: '/services/{name}/secret',
    part: 'services',
    scope: 'write:service',
    tag: 'Events',
    summary: 'Give a service a new key that events and calls to it are signed with',
    description:
      'Events as Standard Webhooks, from the next attempt on; calls of the gateway in ' +
      '`X-Hms-Signature`, by the new key and the one before it until the next change. Until a service ' +
      'has one, nobody can check what it is sent.',
    params: z.object({ name: serviceName }),
    query: none,
    headers: none,
    responses: { 200: { description: 'The key, this once', schema: signingSecret } },
    problems: ['not_found', 'conflict'],
  },
} as const satisfies Record<string, Operation>;
