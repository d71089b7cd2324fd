import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/ports/clock.ts';

interface Sleeper {
  readonly wakesAtMs: number;
  readonly wake: () => void;
}

/** A Clock that stands still until the test moves it. It begins at `startMs`. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!(ms > 0) || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        wakesAtMs: this.#nowMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Jumps, also back, and wakes who is due. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
    const due = [...this.#sleepers].filter(({ wakesAtMs }) => wakesAtMs <= nowMs);
    for (const sleeper of due.sort((a, b) => a.wakesAtMs - b.wakesAtMs)) sleeper.wake();
  }

  /**
   * Lets time pass: stops at each moment when somebody wakes, and lets what they do then come to
   * rest, so that a loop which sleeps again is woken as often as in real time.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await setImmediate();
    for (;;) {
      const nextMs = Math.min(...[...this.#sleepers].map(({ wakesAtMs }) => wakesAtMs));
      if (nextMs > endMs) break;
      // A sleep may end at a fraction; `nowMs` is whole.
      this.set(Math.max(this.#nowMs, Math.ceil(nextMs)));
      await setImmediate();
    }
    this.set(endMs);
    await setImmediate();
  }
}
