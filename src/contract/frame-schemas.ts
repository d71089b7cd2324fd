import * as z from 'zod';
import type { ClientFrame, ClosingReason, ServerFrame } from '../core/push/push-frames.ts';
import { eventMessage } from './event-schemas.ts';
import { jobMessage } from './job-events.ts';
import { jobInPath, jobType } from './job-schemas.ts';
import { policyChange } from './policy-events.ts';
import { problemSchema } from './problem-schema.ts';
import { runChange } from './run-events.ts';
import { eventType } from './service-schemas.ts';
import { channel, journalPositions, runNumber, timestamp } from './values.ts';

const subscription = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'a subscription is named by 1 to 64 letters, digits, _ or -')
  .meta({ description: 'A name that the client picks', example: 'prod' });

const position = journalPositions.describe(
  'A position, as the `id` of a message or of a stream; `-1`: the beginning',
);

const subscribe = {
  type: z.literal('subscribe'),
  subscription,
  after: position.optional(),
} as const;

/** Asks for what a stream of the API tells. */
const subscribeFrame = z
  .discriminatedUnion('topic', [
    z.strictObject({
      ...subscribe,
      topic: z.literal('policies'),
      channel: channel.optional().describe('All channels unless named'),
    }),
    z.strictObject({ ...subscribe, topic: z.literal('run'), run: runNumber.min(1) }),
    z.strictObject({ ...subscribe, topic: z.literal('job'), job: jobInPath }),
    z.strictObject({
      ...subscribe,
      topic: z.literal('jobs'),
      jobType: jobType.optional().describe('All types of jobs unless named'),
    }),
    z.strictObject({
      ...subscribe,
      topic: z.literal('events'),
      eventType: eventType.optional().describe('All types unless named'),
    }),
  ])
  .meta({ id: 'SubscribeFrame' });

const helloRequest = z.strictObject({ type: z.literal('hello') }).meta({ id: 'HelloRequest' });
const pingFrame = z.strictObject({ type: z.literal('ping') }).meta({ id: 'PingFrame' });
const unsubscribeFrame = z
  .strictObject({ type: z.literal('unsubscribe'), subscription })
  .meta({ id: 'UnsubscribeFrame' });

/** What a client may send over a WebSocket. */
export const clientFrames = {
  hello: helloRequest,
  subscribe: subscribeFrame,
  unsubscribe: unsubscribeFrame,
  ping: pingFrame,
} as const;

/** Any of them. */
export const clientFrame = z.discriminatedUnion('type', [
  helloRequest,
  subscribeFrame,
  unsubscribeFrame,
  pingFrame,
]) satisfies z.ZodType<ClientFrame>;

const closingReasons = [
  'expired',
  'over',
  'restart',
  'flood',
  'unknown',
] as const satisfies readonly ClosingReason[];

/** What a client is sent. It ignores types and fields that it does not know. */
export const serverFrames = {
  hello: z
    .object({
      type: z.literal('hello'),
      pingSeconds: z.int().describe('How often the client is to send a ping'),
      until: timestamp.describe('By then the connection is closed'),
    })
    .meta({ id: 'HelloFrame' }),
  subscribed: z
    .object({
      type: z.literal('subscribed'),
      subscription,
      after: position.describe('The position after which it begins'),
    })
    .meta({ id: 'SubscribedFrame' }),
  message: z
    .object({
      type: z.literal('message'),
      subscription,
      id: position.nullable().describe('The position after it; null: more of the entry follow'),
      data: z
        .union([policyChange, runChange, jobMessage, eventMessage])
        .describe('By the topic: `PolicyChange`, `RunChange`, `JobMessage` or `EventMessage`'),
    })
    .meta({ id: 'MessageFrame' }),
  ended: z
    .object({ type: z.literal('ended'), subscription })
    .meta({ id: 'EndedFrame', description: 'All is told of the run or job: it is unsubscribed' }),
  unsubscribed: z
    .object({ type: z.literal('unsubscribed'), subscription })
    .meta({ id: 'UnsubscribedFrame' }),
  pong: z
    .object({
      type: z.literal('pong'),
      positions: z
        .record(z.string(), position)
        .describe('By subscription; they move also over what is not told'),
    })
    .meta({ id: 'PongFrame' }),
  error: z
    .object({
      type: z.literal('error'),
      subscription: subscription.nullable(),
      problem: problemSchema,
    })
    .meta({ id: 'ErrorFrame', description: 'A frame of the client changed nothing' }),
  closing: z
    .object({ type: z.literal('closing'), reason: z.enum(closingReasons) })
    .meta({ id: 'ClosingFrame', description: 'The server closes the connection right after it' }),
} as const satisfies Record<ServerFrame['type'] | 'error', z.ZodType>;

/** Any of them. */
export const serverFrame = z.discriminatedUnion('type', [
  serverFrames.hello,
  serverFrames.subscribed,
  serverFrames.message,
  serverFrames.ended,
  serverFrames.unsubscribed,
  serverFrames.pong,
  serverFrames.error,
  serverFrames.closing,
]);
