import type { Deps } from '../core/deps.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { journalLength } from '../core/journal/read-journal.ts';

export interface StreamDeps extends Pick<Deps, 'records' | 'clock' | 'signal' | 'log'> {
  /** The next entries of a tenant's journal after an index, at most `pageLength`. */
  readonly readAfter: (tenant: string, index: number) => Promise<readonly JournalEntry[]>;
}

export interface StreamLimits {
  /** How long one stream lives; the client reconnects with `Last-Event-ID`. */
  readonly lifeMs: number;
  /** Time between two comment lines. */
  readonly heartbeatMs: number;
  /** Ends every stream: the server goes down. */
  readonly stop?: AbortSignal;
}

export interface Subscription {
  readonly tenant: string;
  /** What the reader is told of an entry, in order and as values for JSON: mostly nothing. */
  readonly messagesOf: (entry: JournalEntry) => readonly unknown[];
  /** The entry after which there is nothing more to tell; none, unless given. */
  readonly isLast?: (entry: JournalEntry) => boolean;
  /** Nothing more is to come: the stream ends with what the journal has now. */
  readonly isOver?: boolean;
  /** The journal index after which to begin; undefined: with the next change. */
  readonly lastIndex: number | undefined;
  /** Unix ms at which the caller's token expires, and the stream with it. */
  readonly untilMs: number;
  readonly onClose: () => void;
}

/** Entries per read, and so the most that waits in memory for a slow reader. */
export const pageLength = 100;
const encoder = new TextEncoder();

/**
 * What a tenant's journal tells a reader, as Server-Sent Events
 * (https://html.spec.whatwg.org/#server-sent-events).
 *
 * The journal is the buffer: nothing is read before the reader takes what came before, so a slow
 * one costs one page of memory, and one that reconnects goes on where it was.
 */
export async function changeStream(
  deps: StreamDeps,
  limits: StreamLimits,
  subscription: Subscription,
): Promise<ReadableStream<Uint8Array>> {
  const { tenant, messagesOf, isLast, isOver = false, lastIndex, onClose } = subscription;
  const end = (await journalLength(deps, tenant)) - 1;
  let position = lastIndex === undefined ? end : Math.min(lastIndex, end);
  const endsAtMs = Math.min(deps.clock.nowMs() + limits.lifeMs, subscription.untilMs);
  const closed = new AbortController();
  closed.signal.addEventListener('abort', onClose, { once: true });
  const { stop } = limits;
  const ended = stop === undefined ? closed.signal : AbortSignal.any([closed.signal, stop]);
  let started = false;
  let told = isOver && position === end;

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = started ? await nextChunk() : opening(position);
      started = true;
      if (chunk !== null && !closed.signal.aborted) controller.enqueue(encoder.encode(chunk));
      if (chunk !== null || closed.signal.aborted) return;
      controller.close();
      closed.abort();
    } catch (error) {
      deps.log.warn('stream broke off', { tenant, error });
      controller.error(error);
      closed.abort();
    }
  }

  /** The next messages, or a heartbeat; null when all is told, or the stream has lived its life. */
  async function nextChunk(): Promise<string | null> {
    const beatAtMs = deps.clock.nowMs() + limits.heartbeatMs;
    while (!told && !ended.aborted && deps.clock.nowMs() < endsAtMs) {
      const read = await deps.readAfter(tenant, position);
      const last = isLast === undefined ? -1 : read.findIndex(isLast);
      const entries = last === -1 ? read : read.slice(0, last + 1);
      position = entries.at(-1)?.index ?? position;
      told = last !== -1 || (isOver && position >= end);
      const messages = entries.map((entry) => textOf(entry, messagesOf(entry))).join('');
      if (messages !== '') return messages;
      if (told) return null;
      const nowMs = deps.clock.nowMs();
      if (nowMs >= beatAtMs) return `: heartbeat\nid: ${position}\n\n`;
      const waitMs = Math.min(beatAtMs, endsAtMs) - nowMs;
      if (entries.length < pageLength && waitMs > 0) {
        await deps.signal.wait(tenant, position + 1, waitMs, ended);
      }
    }
    return null;
  }

  return new ReadableStream<Uint8Array>(
    { pull, cancel: () => closed.abort() },
    { highWaterMark: 0 },
  );
}

/** Sets the reader's position before the first message: a break right now loses nothing. */
function opening(position: number): string {
  return `retry: 1000\nid: ${position}\n: connected\n\n`;
}

function textOf({ index }: JournalEntry, messages: readonly unknown[]): string {
  // Only the last moves the reader's position: who breaks off before it gets all of them again.
  return messages
    .map((message, place) => {
      const id = place === messages.length - 1 ? `id: ${index}\n` : '';
      return `${id}data: ${JSON.stringify(message)}\n\n`;
    })
    .join('');
}
