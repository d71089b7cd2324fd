import type { Deps } from '../core/deps.ts';
import { journalLength } from '../core/journal/read-journal.ts';
import {
  JournalReading,
  type ReadingDeps,
  type ReadingTerms,
  type Told,
} from './journal-reading.ts';

export interface StreamDeps extends ReadingDeps, Pick<Deps, 'records' | 'clock' | 'log'> {}

export interface StreamLimits {
  /** How long one stream lives; the client reconnects with `Last-Event-ID`. */
  readonly lifeMs: number;
  /** Time between two comment lines. */
  readonly heartbeatMs: number;
  /** Ends every stream: the server goes down. */
  readonly stop?: AbortSignal;
}

export interface Subscription extends ReadingTerms {
  /** Unix ms at which the caller's token expires, and the stream with it. */
  readonly untilMs: number;
  readonly onClose: () => void;
}

const encoder = new TextEncoder();

/**
 * What journals tell a reader, as Server-Sent Events
 * (https://html.spec.whatwg.org/#server-sent-events). The id of a message is the reader's position
 * after it: the index in the journal, or in each of them, with dots between.
 *
 * The journals are the buffer: nothing is read before the reader takes what came before, and of one
 * journal at a time, so a slow reader costs one page of memory, and one that reconnects goes on
 * where it was.
 */
export async function changeStream(
  deps: StreamDeps,
  limits: StreamLimits,
  subscription: Subscription,
): Promise<ReadableStream<Uint8Array>> {
  const { journals, onClose } = subscription;
  const lengths = await Promise.all(journals.map((journal) => journalLength(deps, journal)));
  const endsAtMs = Math.min(deps.clock.nowMs() + limits.lifeMs, subscription.untilMs);
  const closed = new AbortController();
  closed.signal.addEventListener('abort', onClose, { once: true });
  const { stop } = limits;
  const ended = stop === undefined ? closed.signal : AbortSignal.any([closed.signal, stop]);
  const reading = new JournalReading(deps, subscription, lengths);
  let started = false;

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = started ? await nextChunk() : opening(reading.id);
      started = true;
      if (chunk !== null && !closed.signal.aborted) controller.enqueue(encoder.encode(chunk));
      if (chunk !== null || closed.signal.aborted) return;
      controller.close();
      closed.abort();
    } catch (error) {
      deps.log.warn('stream broke off', { journals, error });
      controller.error(error);
      closed.abort();
    }
  }

  /** The next messages, or a heartbeat; null when all is told, or the stream has lived its life. */
  async function nextChunk(): Promise<string | null> {
    const beatAtMs = deps.clock.nowMs() + limits.heartbeatMs;
    while (!reading.isDone && !ended.aborted && deps.clock.nowMs() < endsAtMs) {
      const { told, hasMore } = await reading.next();
      if (told.length > 0) return told.map(textOf).join('');
      if (reading.isDone) return null;
      const nowMs = deps.clock.nowMs();
      if (nowMs >= beatAtMs) return `: heartbeat\nid: ${reading.id}\n\n`;
      const waitMs = Math.min(beatAtMs, endsAtMs) - nowMs;
      if (!hasMore && waitMs > 0) await reading.wait(waitMs, ended);
    }
    return null;
  }

  return new ReadableStream<Uint8Array>(
    { pull, cancel: () => closed.abort() },
    { highWaterMark: 0 },
  );
}

/** Sets the reader's position before the first message: a break right now loses nothing. */
function opening(id: string): string {
  return `retry: 1000\nid: ${id}\n: connected\n\n`;
}

function textOf({ id, messages }: Told): string {
  // Only the last moves the reader's position: who breaks off before it gets all of them again.
  return messages
    .map((message, place) => {
      const position = place === messages.length - 1 ? `id: ${id}\n` : '';
      return `${position}data: ${JSON.stringify(message)}\n\n`;
    })
    .join('');
}
