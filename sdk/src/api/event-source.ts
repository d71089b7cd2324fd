import type { Api } from './api.ts';
import { retryDelayMs, sleep } from './delays.ts';
import { HmsError } from './errors.ts';
import { type EventConnectionOptions, openEvents, type StreamMessage } from './event-connection.ts';

/** How the stream is, told as it changes. `beat`: something came, though maybe no message. */
export type StreamState =
  | { readonly kind: 'open' | 'beat' }
  | { readonly kind: 'lost'; readonly error: HmsError | undefined; readonly retryInMs: number };

export interface EventSourceOptions extends EventConnectionOptions {
  /** Goes on after this message; else with the next one, or where the service begins. */
  readonly lastEventId?: string | undefined;
  readonly onState?: (state: StreamState) => void;
}

const defaultRetryMs = 1000;

/**
 * The messages of a stream (https://html.spec.whatwg.org/#server-sent-events), each once and in order
 * as the service tells them. A connection that breaks, ends or falls silent is replaced, after the last
 * message, with back-off; one at a time, and nothing is read before it is asked for. Ends when the
 * service has nothing more to tell (204).
 * Errors: `ProblemError` and `TokenError` that another try would not mend; the reason of the signal.
 */
export async function* readEvents(
  api: Pick<Api, 'open'>,
  options: EventSourceOptions,
): AsyncGenerator<StreamMessage, void, undefined> {
  const { signal, onState } = options;
  const place = { id: options.lastEventId, retryMs: defaultRetryMs };
  for (let failures = 0; ;) {
    let error: HmsError | undefined;
    try {
      const connection = await openEvents(api, options, place.id);
      if (connection === undefined) return;
      try {
        onState?.({ kind: 'open' });
        for await (const messages of connection.read(place)) {
          failures = 0;
          onState?.({ kind: 'beat' });
          yield* messages;
        }
      } finally {
        connection.close();
      }
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(thrown instanceof HmsError) || !thrown.retryable) throw thrown;
      error = thrown;
      failures += 1;
    }
    const retryInMs = retryDelayMs(error, Math.max(failures, 1), place.retryMs);
    onState?.({ kind: 'lost', error, retryInMs });
    await sleep(retryInMs, signal);
  }
}
