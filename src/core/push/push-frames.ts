import type { Channel } from '../policies/channel.ts';

/** What a subscription of a WebSocket tells of: each as a stream of the same name does. */
export type PushTopic =
  | { readonly topic: 'policies'; readonly channel?: Channel | undefined }
  | { readonly topic: 'run'; readonly run: number }
  | { readonly topic: 'job'; readonly job: string }
  | { readonly topic: 'jobs'; readonly jobType?: string | undefined }
  | { readonly topic: 'events'; readonly eventType?: string | undefined };

/** What a client asks for. `subscription` is a name that it picks. */
export type Subscribe = PushTopic & {
  readonly type: 'subscribe';
  readonly subscription: string;
  /** A position, as the `id` of a message; absent: with the next change, or the first step. */
  readonly after?: string | undefined;
};

/** Every frame that a client may send. */
export type ClientFrame =
  | { readonly type: 'hello' }
  | { readonly type: 'ping' }
  | Subscribe
  | { readonly type: 'unsubscribe'; readonly subscription: string };

/** Why a connection is closed. */
export type ClosingReason = 'expired' | 'over' | 'restart' | 'flood' | 'unknown';

/** Every frame that a client is sent, but for errors, which are problems of the API. */
export type ServerFrame =
  | { readonly type: 'hello'; readonly pingSeconds: number; readonly until: string }
  | { readonly type: 'subscribed'; readonly subscription: string; readonly after: string }
  | {
      readonly type: 'message';
      readonly subscription: string;
      /** The position after it; null: more of the same entry follow. */
      readonly id: string | null;
      readonly data: unknown;
    }
  | { readonly type: 'ended'; readonly subscription: string }
  | { readonly type: 'unsubscribed'; readonly subscription: string }
  | { readonly type: 'pong'; readonly positions: Readonly<Record<string, string>> }
  | { readonly type: 'closing'; readonly reason: ClosingReason };

/** Of what one client may have and send, on whichever server. */
export const pushLimits = {
  /** Of a frame of a client; a larger one changes nothing. */
  maxFrameBytes: 4096,
  maxSubscriptions: 16,
  /** How far back a subscription may begin, in journal entries. */
  maxBehind: 10_000,
  /** Frames of one connection: more of them close it. */
  frames: { perSecond: 10, burst: 50 },
  ticketMs: 30_000,
} as const;
