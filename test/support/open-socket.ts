import { expect } from 'vitest';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import type { ClientFrame, PushTopic } from '../../src/core/push/push-frames.ts';
import { type Frame, parseServerFrame } from './parse-server-frame.ts';
import type { ServiceClient } from './service-client.ts';

type Message = Extract<Frame, { type: 'message' }>;

/** Functions that were not called for a while take their time to begin. */
const patience = { timeout: 20_000, interval: 20 };

/** A WebSocket of the service, as a client has it. */
export interface TestSocket {
  /** All that came, each held against the contract. */
  readonly frames: readonly Frame[];
  readonly send: (frame: ClientFrame | string | Uint8Array<ArrayBuffer>) => void;
  /** Waits for a frame that looks like this, and answers it. */
  readonly heard: (like: object) => Promise<Frame>;
  /** The messages of a subscription, once there are so many. */
  readonly messages: (subscription: string, count: number) => Promise<readonly Message[]>;
  /** Subscribes, and waits until that is said to be done. */
  readonly subscribe: (
    frame: PushTopic & { readonly subscription: string; readonly after?: string },
  ) => Promise<Frame>;
  /** Resolves with the code when it has been closed. */
  readonly closed: Promise<number>;
  readonly close: () => void;
}

export async function takeTicket(client: ServiceClient) {
  const { status, body } = await client.call(feedOperations.createTicket);
  expect(status).toBe(201);
  return body;
}

/** Opens one with a fresh ticket. */
export async function openSocket(client: ServiceClient): Promise<TestSocket> {
  return openSocketAt((await takeTicket(client)).url);
}

/** Errors: an `Error` when it is refused. */
export async function openSocketAt(url: string): Promise<TestSocket> {
  const socket = new WebSocket(url);
  const frames: Frame[] = [];
  const failures: unknown[] = [];
  socket.addEventListener('message', ({ data }) => {
    try {
      frames.push(parseServerFrame(String(data)));
    } catch (error) {
      failures.push(error);
    }
  });
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('close', ({ code }) => resolve(code));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('The connection was refused.')));
  });
  const send: TestSocket['send'] = (frame) =>
    socket.send(
      typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame),
    );
  const heard = async (like: object): Promise<Frame> => {
    const isLike = (frame: Frame) => matches(frame, like);
    await expect
      .poll(() => failures[0] ?? frames.find(isLike) ?? frames, patience)
      .toMatchObject(like);
    return frames.find(isLike) as Frame;
  };
  const messagesOf = (name: string) =>
    frames.filter(
      (frame): frame is Message => frame.type === 'message' && frame.subscription === name,
    );
  return {
    frames,
    send,
    heard,
    async messages(name, count) {
      await expect.poll(() => messagesOf(name).length, patience).toBeGreaterThanOrEqual(count);
      expect(failures).toEqual([]);
      return messagesOf(name);
    },
    async subscribe(frame) {
      send({ ...frame, type: 'subscribe' });
      return heard({ type: 'subscribed', subscription: frame.subscription });
    },
    closed,
    close: () => socket.close(),
  };
}

function matches(value: unknown, like: object): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(like).every(([name, wanted]) => {
    const held: unknown = Reflect.get(value, name);
    return typeof wanted === 'object' && wanted !== null ? matches(held, wanted) : held === wanted;
  });
}
