import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { streamTicket } from '../stream-ticket-schema.ts';
import { channel, eventId, readerHeaders, runInPath } from '../values.ts';

const none = z.object({});

/** Live changes, and slices of state in one round trip. */
export const feedOperations = {
  streamPolicies: {
    id: 'streamPolicies',
    method: 'get',
    path: '/api/stream/policies',
    part: 'stream',
    scope: 'read:policy',
    tag: 'Rules',
    summary: 'Every change as it happens (Server-Sent Events)',
    description:
      '`id:` is the journal index; `data:` is a `PolicyChange`. Reconnect with `Last-Event-ID` and ' +
      'nothing is missed. Without it, the stream begins with the next change.',
    params: none,
    query: z.object({
      channel: channel.optional().describe('All channels unless named'),
      lastEventId: eventId
        .optional()
        .describe('For clients that cannot set the header; the header wins'),
    }),
    headers: z.object({ 'last-event-id': eventId.optional() }),
    responses: {
      200: {
        description: 'The stream; a comment line every 15 s keeps it open',
        contentTypes: ['text/event-stream'],
      },
    },
    problems: ['unavailable'],
  },
  streamRun: {
    id: 'streamRun',
    method: 'get',
    path: '/api/runs/{run}/events',
    part: 'stream',
    scope: 'read:policy',
    tag: 'Rollouts',
    summary: 'A run step by step, as it happens (Server-Sent Events)',
    description:
      '`id:` is the journal index; `data:` is a `RunChange`. It begins with the first step, or ' +
      'after `Last-Event-ID`, and ends by itself after `run.ended`.',
    params: z.object({ run: runInPath }),
    query: z.object({
      lastEventId: eventId
        .optional()
        .describe('For clients that cannot set the header; the header wins'),
    }),
    headers: z.object({ 'last-event-id': eventId.optional() }),
    responses: {
      200: {
        description: 'The stream; a comment line every 15 s keeps it open',
        contentTypes: ['text/event-stream'],
      },
      204: { description: 'The caller has seen the end of the run: do not come back' },
    },
    problems: ['not_found', 'unavailable'],
  },
  createTicket: {
    id: 'createTicket',
    method: 'post',
    path: '/api/stream/tickets',
    part: 'reports',
    scope: 'read:policy',
    tag: 'Streams',
    summary: 'A ticket to open a WebSocket with',
    description:
      'It is good for one connection within 30 s, and stands for the token: a token must not be in ' +
      'an address. `docs/websocket.md` and `docs/asyncapi.yaml` tell what is said over the connection.',
    params: none,
    query: none,
    headers: none,
    responses: { 201: { description: 'The ticket, this once', schema: streamTicket } },
    problems: [],
  },
  queryGraph: {
    id: 'queryGraph',
    method: 'post',
    path: '/api/graphql',
    part: 'graph',
    scope: 'read:policy',
    tag: 'Policies',
    summary: 'Slices of policies in one round trip (GraphQL)',
    description: 'Such as `{policies{id,etag,channel}}`. The schema answers introspection.',
    params: none,
    query: none,
    headers: z.object(readerHeaders),
    body: {
      kind: 'json',
      schema: z.object({
        query: z.string().min(1).max(10_000),
        operationName: z.string().max(200).nullish(),
        variables: z.record(z.string(), z.json()).nullish(),
      }),
    },
    responses: {
      200: {
        description: 'A GraphQL response',
        schema: z.looseObject({
          data: z.json().optional(),
          errors: z.array(z.looseObject({ message: z.string() })).optional(),
        }),
      },
    },
    problems: [],
  },
} as const satisfies Record<string, Operation>;
