import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import {
  AnswerBrokeOff,
  type ByteStream,
  type CallFailure,
  type HeaderList,
  type ServiceAnswer,
  type ServiceOutcome,
  type ServiceRequest,
} from '../../ports/service-caller.ts';
import { brokenBy } from './attempt-failed.ts';
import type { Route } from './checked-connections.ts';

const maxHeaderBytes = 16 * 1024;
const maxHeaders = 200;
/** Whatever is sent with them, it is no content (RFC 9110, 6.4.1). */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

interface ExchangeOptions {
  readonly connectTimeoutMs: number;
  /** On a connection of its own, which is not kept. */
  readonly isAlone: boolean;
}

/** One request, and what comes of it. Begins at once. Errors: headers that are none. */
export class HttpExchange {
  readonly #asked: ServiceRequest;
  readonly #request: http.ClientRequest;
  readonly #settled = Promise.withResolvers<ServiceOutcome>();
  readonly #timers: NodeJS.Timeout[] = [];
  #isConnected = false;
  #isSettled = false;
  #isStale = false;
  /** Why it was ended from here; what follows is of no interest then. */
  #ended: { readonly failure: CallFailure; readonly reason: string } | undefined;

  constructor(route: Route, asked: ServiceRequest, options: ExchangeOptions) {
    this.#asked = asked;
    this.#request = requestBy(route, asked, options.isAlone);
    this.#listen(route.url.protocol === 'https:' ? 'secureConnect' : 'connect');
    this.#after(asked.answerWithinMs, 'timed_out', 'no answer in time');
    this.#after(options.connectTimeoutMs, 'not_sent', 'no connection in time');
    const { signal } = asked;
    const cancel = (): void => this.#end('cancelled', 'cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    this.#request.once('close', () => signal?.removeEventListener('abort', cancel));
    if (signal?.aborted === true) cancel();
    void this.#sendBody();
  }

  get outcome(): Promise<ServiceOutcome> {
    return this.#settled.promise;
  }

  /** It failed on a connection that was kept: the server may have closed that before it saw anything. */
  get isStale(): boolean {
    return this.#isStale;
  }

  #listen(connected: 'connect' | 'secureConnect'): void {
    const request = this.#request;
    request.once('socket', (socket) => {
      if (request.reusedSocket || !socket.connecting) this.#isConnected = true;
      else socket.once(connected, () => (this.#isConnected = true));
    });
    request.once('response', (response) => this.#answer(response));
    // It was not asked for.
    request.once('upgrade', (_, socket: Socket) => {
      socket.destroy();
      this.#fail('unanswered', 'it switched protocols');
    });
    request.on('error', (error) => {
      const reason = this.#isConnected ? 'no sound answer' : 'no connection';
      this.#isStale = !this.#isSettled && request.reusedSocket && isReset(error);
      this.#fail(this.#isConnected ? 'unanswered' : 'not_sent', brokenBy(reason, error));
    });
    request.once('close', () => this.#fail('unanswered', 'closed without an answer'));
  }

  #after(ms: number, failure: 'timed_out' | 'not_sent', reason: string): void {
    const isOnlyToConnect = failure === 'not_sent';
    const timer = setTimeout(() => {
      if (this.#isConnected && isOnlyToConnect) return;
      this.#end(this.#isConnected ? failure : 'not_sent', reason);
    }, ms);
    this.#timers.push(timer);
  }

  #end(failure: CallFailure, reason: string): void {
    this.#ended ??= { failure, reason };
    this.#request.destroy();
    this.#fail(failure, reason);
  }

  #fail(failure: CallFailure, reason: string): void {
    this.#settle({ kind: 'failed', ...(this.#ended ?? { failure, reason }) });
  }

  #settle(outcome: ServiceOutcome): void {
    this.#isSettled = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#settled.resolve(outcome);
  }

  #answer(response: http.IncomingMessage): void {
    const { statusCode = 0, rawHeaders } = response;
    // Who leaves the body unread must not be thrown at.
    response.on('error', () => undefined);
    if (statusCode < 200 || statusCode > 599) return this.#refuse(response, 'no such status');
    if (rawHeaders.length > 2 * maxHeaders) return this.#refuse(response, 'too many headers');
    endWhenIdle(response, this.#asked.idleMs);
    response.once('end', () => {
      // Nobody needs the rest of the request any more, and it must not precede the next one.
      if (!this.#request.writableFinished) this.#request.destroy();
    });
    const answer = {
      status: statusCode,
      headers: pairs(rawHeaders),
      body: this.#bodyOf(response),
      discard: () => void response.destroy(),
    } satisfies ServiceAnswer;
    this.#settle({ kind: 'answered', answer });
  }

  #refuse(response: http.IncomingMessage, reason: string): void {
    response.destroy();
    this.#fail('unanswered', reason);
  }

  #bodyOf(response: http.IncomingMessage): ByteStream | null {
    const { statusCode = 0, headers } = response;
    if (this.#asked.method === 'HEAD' || bodilessStatuses.has(statusCode)) {
      if (statusCode === 205) response.destroy();
      else response.resume();
      return null;
    }
    const length =
      headers['transfer-encoding'] === undefined ? headers['content-length'] : undefined;
    const sizeBytes = length === undefined ? null : Number(length);
    return { sizeBytes, chunks: chunksOf(response) };
  }

  async #sendBody(): Promise<void> {
    const { body } = this.#asked;
    const request = this.#request;
    if (body === null || body instanceof Uint8Array) {
      request.end(body ?? undefined);
      return;
    }
    try {
      let sentBytes = 0;
      for await (const chunk of body.chunks) {
        if (request.destroyed) return;
        sentBytes += chunk.byteLength;
        // More than was announced would be taken for another request.
        if (sentBytes > (body.sizeBytes ?? Infinity)) throw new RangeError('too long');
        if (!request.write(chunk)) await writable(request);
      }
      if (sentBytes < (body.sizeBytes ?? 0)) throw new RangeError('too short');
      request.end();
    } catch {
      this.#end('cancelled', 'the body of the request broke off');
    }
  }
}

function requestBy(
  { url, agent, lookup }: Route,
  asked: ServiceRequest,
  isAlone: boolean,
): http.ClientRequest {
  const { request } = url.protocol === 'http:' ? http : https;
  const made = request({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path: asked.path,
    method: asked.method,
    headers: headersOf(asked, url.host),
    agent: isAlone ? false : agent,
    lookup,
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
  });
  // All that fit are there, to be counted.
  made.maxHeadersCount = 0;
  return made;
}

/** With what frames the body: of some methods, node:http would send it without any frame. */
function headersOf(
  { headers, body, method }: ServiceRequest,
  host: string,
): Record<string, string | string[]> {
  const sent: Record<string, string | string[]> = { host };
  for (const [name, value] of headers) {
    const before = sent[name];
    sent[name] = before === undefined ? value : [before, value].flat();
  }
  const sizeBytes = body instanceof Uint8Array ? body.byteLength : (body?.sizeBytes ?? null);
  if (sizeBytes !== null) sent['content-length'] = String(sizeBytes);
  else if (body !== null) sent['transfer-encoding'] = 'chunked';
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH')
    sent['content-length'] = '0';
  return sent;
}

function pairs(raw: readonly string[]): HeaderList {
  const list: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) list.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return list;
}

async function* chunksOf(response: http.IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    // Leaving early destroys it.
    yield* response as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new AnswerBrokeOff('The answer broke off.', { cause });
  }
}

/** Neither read from nor written to for so long, a connection is given up: by whoever that is. */
function endWhenIdle(response: http.IncomingMessage, idleMs: number): void {
  const { socket } = response;
  const end = (): void => void response.destroy(new Error('idle for too long'));
  socket.setTimeout(idleMs);
  socket.on('timeout', end);
  response.once('close', () => socket.off('timeout', end));
}

/** Until more can be written, or it is over. */
async function writable(request: http.ClientRequest): Promise<void> {
  if (request.destroyed || !request.writableNeedDrain) return;
  const over = new AbortController();
  try {
    await Promise.race([
      once(request, 'drain', { signal: over.signal }),
      once(request, 'close', { signal: over.signal }),
    ]);
  } finally {
    over.abort();
  }
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
