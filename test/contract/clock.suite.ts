import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';

export interface ClockFixture {
  readonly clock: Clock;
  /** Lets so much time pass for the clock. */
  readonly pass: (ms: number) => Promise<void>;
}

/** What every Clock must do. */
export function describeClock(name: string, make: () => ClockFixture): void {
  describe(`Clock: ${name}`, () => {
    let clock: Clock;
    let pass: ClockFixture['pass'];

    beforeEach(() => {
      ({ clock, pass } = make());
    });

    /** Whether it is over by now. */
    const watch = (sleep: Promise<void>): { done: boolean } => {
      const state = { done: false };
      void sleep.then(() => (state.done = true));
      return state;
    };

    it('tells Unix time in whole ms', async () => {
      const nowMs = clock.nowMs();
      expect(Number.isSafeInteger(nowMs)).toBe(true);
      expect(new Date(nowMs).getUTCFullYear()).toBeGreaterThanOrEqual(2024);
      await pass(20);
      // Timers and the time of day are different clocks: a ms of play.
      expect(clock.nowMs() - nowMs).toBeGreaterThanOrEqual(19);
    });

    it('sleeps no shorter than told', async () => {
      const begunMs = clock.nowMs();
      const sleep = clock.sleep(30);
      const state = watch(sleep);
      await pass(5);
      expect(state.done).toBe(false);
      await Promise.all([pass(30), sleep]);
      expect(clock.nowMs() - begunMs).toBeGreaterThanOrEqual(29);
    });

    it('wakes sleepers in the order of their time', async () => {
      const woken: number[] = [];
      const sleeps = [60, 1, 30].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
      await Promise.all([...sleeps, pass(60)]);
      expect(woken).toEqual([1, 30, 60]);
    });

    it.each([0, -5, Number.NaN])('sleeps not at all for %d ms', async (ms) => {
      await clock.sleep(ms);
    });

    it('sleeps for a fraction of a ms, and longer than a timer of Node', async () => {
      await Promise.all([clock.sleep(0.3), pass(5)]);
      const controller = new AbortController();
      const state = watch(clock.sleep(2 ** 32, controller.signal));
      await pass(20);
      expect(state.done).toBe(false);
      controller.abort();
      await pass(5);
      expect(state.done).toBe(true);
    });

    it('wakes when the signal aborts, without a rejection', async () => {
      const controller = new AbortController();
      const sleep = clock.sleep(60_000, controller.signal);
      controller.abort(new Error('no reason'));
      expect(await sleep).toBeUndefined();
    });

    it('does not sleep with a signal that has aborted', async () => {
      expect(await clock.sleep(60_000, AbortSignal.abort())).toBeUndefined();
    });

    it('leaves nothing on the signal', async () => {
      const { signal } = new AbortController();
      await Promise.all([clock.sleep(1, signal), clock.sleep(2, signal), pass(5)]);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });
}
