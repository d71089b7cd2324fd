import { createParser } from 'eventsource-parser';
import { abortable } from './abortable.ts';
import type { Api, ApiRequest } from './api.ts';
import { Deadline } from './deadline.ts';
import { BadAnswerError, NoAnswerError } from './errors.ts';

export interface StreamMessage {
  /** What the stream goes on after: `Last-Event-ID`. */
  readonly id: string;
  readonly data: string;
}

/** Where a reader of a stream stands; moved as it is read. */
export interface StreamPlace {
  id: string | undefined;
  /** How long the service wants to be left alone before it is asked again. */
  retryMs: number;
}

/** One connection to a stream (https://html.spec.whatwg.org/#server-sent-events). */
export interface EventConnection {
  /**
   * What each chunk completes, maybe nothing; ends when the service ends it.
   * Errors: `NoAnswerError` when it breaks off or falls silent, `BadAnswerError`; the reason of the
   * signal.
   */
  readonly read: (place: StreamPlace) => AsyncGenerator<readonly StreamMessage[], void, undefined>;
  readonly close: () => void;
}

export interface EventConnectionOptions extends Pick<ApiRequest, 'path' | 'query'> {
  readonly signal?: AbortSignal | undefined;
  /** Without a byte for so long it is taken for dead: 45 s unless given, three heartbeats. */
  readonly silenceMs?: number | undefined;
}

const defaultSilenceMs = 45_000;
const maxRetryMs = 30_000;
const maxMessageChars = 4 * 1024 * 1024;

/** Undefined when there is nothing to come (204). Errors: as of `read`, and of `Api.open`. */
export async function openEvents(
  api: Pick<Api, 'open'>,
  { path, query, signal, silenceMs = defaultSilenceMs }: EventConnectionOptions,
  lastEventId: string | undefined,
): Promise<EventConnection | undefined> {
  const silence = new Deadline(silenceMs, signal);
  const why = (error: unknown) =>
    silence.isOver ? new NoAnswerError(`${path} was silent for ${silenceMs} ms.`, error) : error;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const close = () => {
    silence.end();
    // Nobody waits for it: what is to be let go may not answer.
    void reader?.cancel().catch(() => undefined);
  };
  try {
    const opening = api.open({
      path,
      ...(query === undefined ? {} : { query }),
      headers: { accept: 'text/event-stream', 'last-event-id': lastEventId },
      signal: silence.signal,
    });
    const { body, status, headers } = await abortable(opening, silence.signal);
    if (status !== 204 && headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      throw new BadAnswerError(`${path} did not answer with a stream of events.`);
    }
    const source = (reader = status === 204 ? undefined : body?.getReader());
    if (source !== undefined) return { read: (place) => read(source, place, silence, why), close };
    close();
    return undefined;
  } catch (error) {
    close();
    throw why(error);
  }
}

async function* read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  place: StreamPlace,
  silence: Deadline,
  why: (error: unknown) => unknown,
): AsyncGenerator<readonly StreamMessage[], void, undefined> {
  let messages: StreamMessage[] = [];
  let tooLarge = false;
  const parser = createParser({
    maxBufferSize: maxMessageChars,
    onId: (id) => (place.id = id),
    onRetry: (ms) => (place.retryMs = Math.min(ms, maxRetryMs)),
    onEvent: ({ data }) => messages.push({ id: place.id ?? '', data }),
    onError: ({ type }) => (tooLarge ||= type === 'max-buffer-size-exceeded'),
  });
  const decoder = new TextDecoder();
  for (;;) {
    // Not `for await`: browsers came to it late.
    const part = await abortable(reader.read(), silence.signal).catch((error: unknown) => {
      throw silence.signal.aborted ? why(error) : new NoAnswerError('The stream broke off.', error);
    });
    if (part.done) return;
    silence.restart();
    parser.feed(decoder.decode(part.value, { stream: true }));
    if (tooLarge) throw new BadAnswerError(`A message is over ${maxMessageChars} characters.`);
    yield messages;
    messages = [];
  }
}
