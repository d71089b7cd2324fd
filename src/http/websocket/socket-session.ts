import type { RawData, WebSocket } from 'ws';
import type { Deps } from '../../core/deps.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import type { Principal } from '../../core/identity/principal.ts';
import { TokenBucket } from '../../core/limits/token-bucket.ts';
import { openSubscription, tooManySubscriptions } from '../../core/push/open-subscription.ts';
import {
  type ClientFrame,
  type ClosingReason,
  pushLimits,
  type ServerFrame,
  type Subscribe,
} from '../../core/push/push-frames.ts';
import type { ReadingDeps } from '../journal-reading.ts';
import { SubscriptionFeed } from './subscription-feed.ts';
import { errorFrameText, frameText, parseFrame, subscriptionOf } from './websocket-frames.ts';

export interface SessionDeps
  extends ReadingDeps, Pick<Deps, 'records' | 'jobJournals' | 'clock' | 'ids' | 'log'> {}

export interface SessionLimits {
  /** How long one connection lives; the client connects anew. */
  readonly lifeMs: number;
  /** How often the client is to send a ping, and how often we look whether it is still there. */
  readonly pingMs: number;
  /** Ends every connection: the server goes down. */
  readonly stop?: AbortSignal;
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4, and one of our own. */
const codes: Readonly<Record<ClosingReason, number>> = {
  over: 1000,
  restart: 1012,
  flood: 1008,
  unknown: 1008,
  expired: 4401,
};

/** How long a client that is told to go may take to go. */
const closingMs = 1000;

/**
 * One WebSocket: answers the frames of its client, one after the other, and tells what it subscribed
 * to. It holds a page of each subscription at the most: nothing more is read before that is sent.
 */
export class SocketSession {
  readonly #deps: SessionDeps;
  readonly #socket: WebSocket;
  readonly #principal: Principal;
  readonly #limits: SessionLimits;
  readonly #endsAtMs: number;
  readonly #endsAs: ClosingReason;
  readonly #frames: TokenBucket;
  readonly #closed = new AbortController();
  readonly #feeds = new Map<string, SubscriptionFeed>();
  #answering: Promise<void> = Promise.resolve();
  /** It has answered a ping, or taken something, since we looked last. */
  #isThere = true;

  constructor(deps: SessionDeps, socket: WebSocket, principal: Principal, limits: SessionLimits) {
    const nowMs = deps.clock.nowMs();
    this.#deps = deps;
    this.#socket = socket;
    this.#principal = principal;
    this.#limits = limits;
    this.#endsAtMs = Math.min(nowMs + limits.lifeMs, principal.expiresAtMs);
    this.#endsAs = this.#endsAtMs === principal.expiresAtMs ? 'expired' : 'over';
    this.#frames = new TokenBucket(pushLimits.frames, nowMs);
  }

  start(): void {
    const { stop } = this.#limits;
    const restart = () => this.#close('restart');
    stop?.addEventListener('abort', restart, { once: true });
    this.#closed.signal.addEventListener('abort', () =>
      stop?.removeEventListener('abort', restart),
    );
    this.#socket.on('close', () => this.#closed.abort());
    // What it could not understand or send, it closes for by itself.
    this.#socket.on('error', (error) => this.#deps.log.debug('socket failed', { error }));
    this.#socket.on('pong', () => (this.#isThere = true));
    this.#socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    if (stop?.aborted === true) restart();
    void this.#watch();
  }

  /** Ends it in time, and when the client has gone or takes nothing. */
  async #watch(): Promise<void> {
    const { clock } = this.#deps;
    const { pingMs } = this.#limits;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const nowMs = clock.nowMs();
      if (nowMs >= this.#endsAtMs) return this.#close(this.#endsAs);
      if (!this.#isThere) return this.#socket.terminate();
      this.#isThere = false;
      this.#socket.ping();
      await clock.sleep(Math.min(pingMs, this.#endsAtMs - nowMs), signal);
    }
  }

  #take(data: RawData, isBinary: boolean): void {
    if (this.#closed.signal.aborted) return;
    if (!this.#frames.take(1, this.#deps.clock.nowMs())) return this.#close('flood');
    // With no other binary type set, it comes as one Buffer.
    const text = isBinary ? null : (data as Buffer).toString();
    this.#answering = this.#answering.then(() => this.#answer(text));
  }

  /** Never rejects. */
  async #answer(text: string | null): Promise<void> {
    if (this.#closed.signal.aborted) return;
    let subscription: string | null = null;
    try {
      if (text === null) throw new InvalidRequest('Send frames as text, not as bytes.');
      const frame = parseFrame(text);
      subscription = subscriptionOf(frame);
      await this.#obey(frame);
    } catch (error) {
      this.#sendError(error, subscription);
    }
  }

  async #obey(frame: ClientFrame): Promise<void> {
    switch (frame.type) {
      case 'hello': {
        const until = new Date(this.#endsAtMs).toISOString();
        return this.#say({ type: 'hello', pingSeconds: this.#limits.pingMs / 1000, until });
      }
      case 'ping': {
        const positions = [...this.#feeds].map(([name, { position }]) => [name, position] as const);
        return this.#say({ type: 'pong', positions: Object.fromEntries(positions) });
      }
      case 'unsubscribe': {
        this.#feeds.get(frame.subscription)?.stop();
        this.#feeds.delete(frame.subscription);
        return this.#say({ type: 'unsubscribed', subscription: frame.subscription });
      }
      case 'subscribe':
        return this.#subscribe(frame);
    }
  }

  async #subscribe(frame: Subscribe): Promise<void> {
    const { subscription: name } = frame;
    if (this.#feeds.size >= pushLimits.maxSubscriptions && !this.#feeds.has(name)) {
      throw tooManySubscriptions();
    }
    const open = await openSubscription(this.#deps, this.#principal, frame);
    if (this.#closed.signal.aborted) return;
    this.#feeds.get(name)?.stop();
    const feed = new SubscriptionFeed(this.#deps, open, this.#closed.signal, (text) =>
      this.#send(text),
    );
    this.#feeds.set(name, feed);
    void feed.run().then(
      () => this.#forget(feed),
      (error: unknown) => {
        if (this.#forget(feed)) this.#sendError(error, name);
      },
    );
  }

  /** Whether it was still subscribed to. */
  #forget(feed: SubscriptionFeed): boolean {
    return this.#feeds.get(feed.name) === feed && this.#feeds.delete(feed.name);
  }

  #say(frame: ServerFrame): void {
    void this.#send(frameText(frame));
  }

  #sendError(error: unknown, subscription: string | null): void {
    const { ids, log } = this.#deps;
    void this.#send(errorFrameText(error, subscription, ids.next(), log));
  }

  /** Resolves when the client has been handed it, or is gone. */
  #send(text: string): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.send(text, () => {
        this.#isThere = true;
        resolve();
      });
    });
  }

  #close(reason: ClosingReason): void {
    if (this.#closed.signal.aborted) return;
    this.#say({ type: 'closing', reason });
    this.#closed.abort();
    // It goes after what is under way.
    this.#socket.close(codes[reason], reason);
    const cut = setTimeout(() => this.#socket.terminate(), closingMs);
    this.#socket.once('close', () => clearTimeout(cut));
  }
}
