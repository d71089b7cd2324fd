import { abortable } from '../api/abortable.ts';
import type { Api } from '../api/api.ts';
import { Deadline } from '../api/deadline.ts';
import { BadAnswerError, NoAnswerError, ProblemError } from '../api/errors.ts';
import type { Problem } from '../wire/problem.ts';
import type { StreamTicket } from '../wire/stream-ticket.ts';
import type { PushSink, PushSource } from './push-source.ts';

type SendsRequests = Pick<Api, 'json' | 'baseUrl'>;

/** What the service sends; of another kind, it is ignored. */
interface Frame {
  readonly type?: unknown;
  readonly pingSeconds?: unknown;
  readonly id?: unknown;
  readonly after?: unknown;
  readonly positions?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  readonly problem?: Problem;
}

const subscription = 'rules';
const openMs = 15_000;
/** To a ping there is an answer at once. */
const answerMs = 10_000;
const firstPingSeconds = 15;
const maxPingSeconds = 300;
const maxFrameChars = 64 * 1024;

/** The changes of a channel over a WebSocket, each time with a new ticket (docs/websocket.md). */
export function webSocketPush(api: SendsRequests, channel: string): PushSource {
  return async (position, sink, signal) => {
    const url = await ticketUrl(api, signal);
    const conversation = new Conversation(url, sink, channel, position);
    try {
      await abortable(conversation.ended, signal);
    } finally {
      conversation.close();
    }
  };
}

async function ticketUrl(api: SendsRequests, signal: AbortSignal): Promise<string> {
  const { url } = await api.json<StreamTicket>({
    method: 'POST',
    path: '/api/stream/tickets',
    retries: 0,
    timeoutMs: answerMs,
    signal,
  });
  const isSecure = api.baseUrl.startsWith('https:');
  // A ticket stands for a token: it must not go where a token would not.
  if (typeof url === 'string' && (url.startsWith('wss:') || (!isSecure && url.startsWith('ws:')))) {
    return url;
  }
  throw new BadAnswerError('The ticket is for no WebSocket, or for one without TLS.');
}

/** One connection, from its opening to its end. */
class Conversation {
  /** Resolves when the service ended it in order. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;
  readonly #sink: PushSink;
  readonly #subscribe: object;
  readonly #end = Promise.withResolvers<void>();
  /** Aborts when nothing comes for longer than a ping and its answer take. */
  #silence: Deadline;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #isSubscribed = false;
  #isClosing = false;

  constructor(url: string, sink: PushSink, channel: string, after: string | undefined) {
    this.ended = this.#end.promise;
    this.#sink = sink;
    this.#subscribe = { type: 'subscribe', subscription, topic: 'policies', channel, after };
    this.#socket = new WebSocket(url);
    this.#silence = this.#watch(openMs);
    this.#socket.addEventListener('open', this.#onOpen);
    this.#socket.addEventListener('message', this.#onMessage);
    this.#socket.addEventListener('close', this.#onClose);
  }

  close(): void {
    clearInterval(this.#pingTimer);
    this.#silence.end();
    this.#socket.removeEventListener('open', this.#onOpen);
    this.#socket.removeEventListener('message', this.#onMessage);
    this.#socket.removeEventListener('close', this.#onClose);
    this.#socket.close();
    this.#end.resolve();
  }

  readonly #onOpen = () => {
    this.#send({ type: 'hello' });
    this.#send(this.#subscribe);
    this.#pingEvery(firstPingSeconds);
  };

  readonly #onMessage = ({ data }: { readonly data: unknown }) => {
    this.#silence.restart();
    const frame = frameOf(data);
    switch (frame.type) {
      case 'hello':
        this.#pingEvery(Number(frame.pingSeconds));
        break;
      case 'subscribed':
        this.#isSubscribed = true;
        this.#move(frame.after);
        this.#sink.opened();
        break;
      case 'message':
        this.#move(frame.id);
        this.#sink.changed(JSON.stringify(frame.data ?? null));
        break;
      case 'pong':
        this.#move(frame.positions?.[subscription]);
        if (!this.#isSubscribed) this.#give('The WebSocket does not answer.');
        break;
      case 'closing':
        this.#isClosing = true;
        break;
      case 'error':
        if (frame.problem !== undefined) this.#end.reject(new ProblemError(frame.problem));
        break;
    }
  };

  readonly #onClose = () => {
    if (this.#isClosing) this.#end.resolve();
    else this.#give('The WebSocket broke off, or was refused.');
  };

  #give(why: string): void {
    this.#end.reject(new NoAnswerError(why));
  }

  #move(position: unknown): void {
    if (typeof position === 'string') this.#sink.moved(position);
  }

  #send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #pingEvery(seconds: number): void {
    if (!(seconds >= 1)) return;
    const everyMs = Math.min(seconds, maxPingSeconds) * 1000;
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#send({ type: 'ping' }), everyMs);
    // In browsers it is a number.
    (this.#pingTimer as { unref?: () => unknown }).unref?.();
    this.#silence.end();
    this.#silence = this.#watch(everyMs + answerMs);
  }

  #watch(ms: number): Deadline {
    const silence = new Deadline(ms);
    const give = () => this.#give('The WebSocket has been silent.');
    silence.signal.addEventListener('abort', give, { once: true });
    return silence;
  }
}

/** What cannot be read is ignored; that something came counts. */
function frameOf(data: unknown): Frame {
  if (typeof data !== 'string' || data.length > maxFrameChars) return {};
  try {
    const frame = JSON.parse(data) as Frame | null;
    return typeof frame === 'object' && frame !== null ? frame : {};
  } catch {
    return {};
  }
}
