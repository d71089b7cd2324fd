import { Unavailable } from '../../core/errors/app-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobTurn, TurnWish } from '../../ports/job-queue.ts';

export interface TurnSource {
  /** Turns that are there now, and are nobody else's from then on. */
  readonly claim: (type: string, wish: TurnWish) => JobTurn[];
  /** When the next job of the type may be handed out; undefined when there is none. */
  readonly nextVisibleMs: (type: string) => number | undefined;
}

interface Waiter {
  readonly wish: TurnWish;
  readonly take: (turns: JobTurn[]) => void;
  readonly fail: (error: unknown) => void;
}

interface Line {
  /** First come, first served. */
  readonly waiters: Set<Waiter>;
  alarm: { readonly atMs: number; readonly cancel: AbortController } | undefined;
}

const maxWaiters = 1000;

/**
 * Those who wait for a turn, at most 1000. They are served by `expect` and by one timer for each
 * type that is waited for; waiting itself costs nothing.
 */
export class TurnWaiters {
  readonly #source: TurnSource;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  #count = 0;

  constructor(source: TurnSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Call it when `claim` has just had nothing. Errors: `Unavailable` when too many wait. */
  async wait(type: string, wish: TurnWish): Promise<JobTurn[]> {
    if (this.#count >= maxWaiters) throw new Unavailable('Too many wait for jobs. Try again.');
    const nextMs = this.#source.nextVisibleMs(type);
    const line = this.#lines.get(type) ?? { waiters: new Set(), alarm: undefined };
    this.#lines.set(type, line);
    this.#count++;
    const { promise, resolve, reject } = Promise.withResolvers<JobTurn[]>();
    const over = new AbortController();
    // At once, so that nothing is claimed for somebody who has left.
    const leave = (): void => {
      if (!line.waiters.delete(waiter)) return;
      this.#count--;
      over.abort();
      wish.signal?.removeEventListener('abort', giveUp);
      if (line.waiters.size > 0) return;
      line.alarm?.cancel.abort();
      this.#lines.delete(type);
    };
    const waiter: Waiter = {
      wish,
      take: (turns) => (leave(), resolve(turns)),
      fail: (error) => (leave(), reject(error)),
    };
    const giveUp = (): void => waiter.take([]);
    line.waiters.add(waiter);
    wish.signal?.addEventListener('abort', giveUp, { once: true });
    void this.#clock.sleep(wish.waitMs, over.signal).then(giveUp);
    this.#setAlarm(type, line, nextMs);
    return await promise;
  }

  /** A job of this type may be handed out from then on. Never throws. */
  expect(type: string, atMs: number): void {
    const line = this.#lines.get(type);
    if (line === undefined) return;
    if (atMs <= this.#clock.nowMs()) this.#serve(type, line);
    else this.#setAlarm(type, line, atMs);
  }

  /** Lets everybody go with nothing. */
  close(): void {
    for (const { waiters } of this.#lines.values()) {
      for (const waiter of waiters) waiter.take([]);
    }
  }

  #serve(type: string, line: Line): void {
    try {
      for (const waiter of line.waiters) {
        const turns = this.#source.claim(type, waiter.wish);
        if (turns.length === 0) {
          this.#setAlarm(type, line, this.#source.nextVisibleMs(type));
          return;
        }
        waiter.take(turns);
      }
    } catch (error) {
      for (const waiter of line.waiters) waiter.fail(error);
    }
  }

  #setAlarm(type: string, line: Line, atMs: number | undefined): void {
    if (atMs === undefined || (line.alarm !== undefined && line.alarm.atMs <= atMs)) return;
    line.alarm?.cancel.abort();
    const cancel = new AbortController();
    line.alarm = { atMs, cancel };
    // At least 1: a timer may be a moment ahead of the time of day.
    const leftMs = Math.max(1, atMs - this.#clock.nowMs());
    void this.#serveAfter(leftMs, type, line, cancel.signal);
  }

  async #serveAfter(ms: number, type: string, line: Line, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal);
    if (signal.aborted) return;
    line.alarm = undefined;
    this.#serve(type, line);
  }
}
