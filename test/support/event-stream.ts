import { expect } from 'vitest';
import type * as z from 'zod';
import { policyChange } from '../../src/contract/policy-events.ts';

type PolicyChange = z.output<typeof policyChange>;

export interface StreamMessage<Change = PolicyChange> {
  readonly id: string;
  readonly change: Change;
}

export interface StreamOptions {
  readonly channel?: string;
  /** Sent as the header `Last-Event-ID`. */
  readonly lastEventId?: string;
  /** Any query besides. */
  readonly query?: Readonly<Record<string, string>>;
}

export interface EventStream<Change = PolicyChange> {
  /** Every message so far, each held against the contract. */
  readonly messages: readonly StreamMessage<Change>[];
  /** What the client would send as `Last-Event-ID` now; moved by messages and by heartbeats. */
  readonly position: () => string;
  /** How often a heartbeat came. */
  readonly heartbeats: () => number;
  /** Resolves when it has ended: true when the server ended it in order. */
  readonly ended: Promise<boolean>;
  /** Waits until there are so many messages, and answers them. */
  readonly until: (count: number, timeoutMs?: number) => Promise<readonly StreamMessage<Change>[]>;
  readonly untilHeartbeat: (timeoutMs: number) => Promise<void>;
  /** Breaks it off, as a lost connection does. */
  readonly close: () => void;
}

/** Listens to the changes. Resolves when the stream is open: later changes will be seen. */
export async function openStream(
  baseUrl: string,
  token: string,
  { channel, lastEventId, query }: StreamOptions = {},
): Promise<EventStream> {
  const named = { ...query, ...(channel === undefined ? {} : { channel }) };
  const url = `${baseUrl}/api/stream/policies?${new URLSearchParams(named).toString()}`;
  return openEvents(url, token, policyChange, lastEventId);
}

/** The same for any stream, whose messages are as `schema` has them. */
export async function openEvents<Change>(
  url: string,
  token: string,
  schema: z.ZodType<Change>,
  lastEventId?: string,
): Promise<EventStream<Change>> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: leaving.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const reader = new MessageReader(schema);
  const opened = Promise.withResolvers<void>();
  const ended = follow(response, reader, () => opened.resolve());
  await Promise.race([opened.promise, ended]);
  return {
    messages: reader.messages,
    position: () => reader.position,
    heartbeats: () => reader.heartbeats,
    ended,
    until: async (count, timeoutMs = 10_000) => {
      const wanted = () => `${count} messages, but there are ${reader.messages.length}`;
      await waitFor(() => reader.messages.length >= count || reader.failure, timeoutMs, wanted);
      if (reader.failure !== undefined) throw reader.failure;
      return reader.messages;
    },
    untilHeartbeat: (timeoutMs) =>
      waitFor(
        () => reader.heartbeats > 0,
        timeoutMs,
        () => 'a heartbeat',
      ),
    close: () => leaving.abort(),
  };
}

async function follow(
  response: Response,
  reader: MessageReader<unknown>,
  onOpen: () => void,
): Promise<boolean> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      reader.push(decoder.decode(chunk as Uint8Array, { stream: true }));
      onOpen();
    }
    return reader.failure === undefined;
  } catch {
    return false;
  }
}

/** What https://html.spec.whatwg.org/#event-stream-interpretation says, for what we send. */
class MessageReader<Change> {
  readonly messages: StreamMessage<Change>[] = [];
  position = '';
  heartbeats = 0;
  /** Set when a message was not as the contract has it. */
  failure: unknown;
  readonly #schema: z.ZodType<Change>;
  #rest = '';

  constructor(schema: z.ZodType<Change>) {
    this.#schema = schema;
  }

  push(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    try {
      for (const block of blocks) this.#take(block);
    } catch (error) {
      this.failure = error;
    }
  }

  #take(block: string): void {
    let data: string | undefined;
    for (const line of block.split('\n')) {
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === 'id') this.position = value;
      else if (field === 'data') data = value;
      else if (field === '' && value === 'heartbeat') this.heartbeats += 1;
      else if (field !== '' && field !== 'retry') throw new Error(`unknown field: ${line}`);
    }
    if (data === undefined) return;
    const change: unknown = JSON.parse(data);
    const parsed = this.#schema.parse(change);
    expect(parsed, 'a message with undeclared members').toEqual(change);
    this.messages.push({ id: this.position, change: parsed });
  }
}

async function waitFor(
  done: () => unknown,
  timeoutMs: number,
  wanted: () => string,
): Promise<void> {
  for (const start = performance.now(); !done();) {
    if (performance.now() - start > timeoutMs) {
      throw new Error(`waited ${timeoutMs} ms for ${wanted()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
