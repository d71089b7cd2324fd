import type { Deps } from '../core/deps.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { journalLength } from '../core/journal/read-journal.ts';
import type { Channel } from '../core/policies/channel.ts';
import { policyChangeOf } from '../core/policies/policy-events.ts';

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
  readonly channel: Channel | undefined;
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
 * The changes of a tenant as Server-Sent Events (https://html.spec.whatwg.org/#server-sent-events).
 *
 * The journal is the buffer: nothing is read before the reader takes what came before, so a slow
 * one costs one page of memory, and one that reconnects goes on where it was.
 */
export async function changeStream(
  deps: StreamDeps,
  limits: StreamLimits,
  subscription: Subscription,
): Promise<ReadableStream<Uint8Array>> {
  const { tenant, lastIndex, onClose } = subscription;
  const end = (await journalLength(deps, tenant)) - 1;
  let position = lastIndex === undefined ? end : Math.min(lastIndex, end);
  const endsAtMs = Math.min(deps.clock.nowMs() + limits.lifeMs, subscription.untilMs);
  const closed = new AbortController();
  closed.signal.addEventListener('abort', onClose, { once: true });
  const { stop } = limits;
  const ended = stop === undefined ? closed.signal : AbortSignal.any([closed.signal, stop]);
  let started = false;

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

  /** The next messages, or a heartbeat; null when the stream has lived its life. */
  async function nextChunk(): Promise<string | null> {
    const beatAtMs = deps.clock.nowMs() + limits.heartbeatMs;
    while (!ended.aborted && deps.clock.nowMs() < endsAtMs) {
      const entries = await deps.readAfter(tenant, position);
      position = entries.at(-1)?.index ?? position;
      const messages = entries.map((entry) => message(subscription, entry)).join('');
      if (messages !== '') return messages;
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

function message({ tenant, channel }: Subscription, entry: JournalEntry): string {
  const change = policyChangeOf(tenant, entry);
  if (change === null || (channel !== undefined && change.channel !== channel)) return '';
  return `id: ${entry.index}\ndata: ${JSON.stringify(change)}\n\n`;
}
