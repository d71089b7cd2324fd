import { getEventListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalSignal } from '../../src/ports/journal-signal.ts';

export interface JournalSignalFixture {
  readonly signal: JournalSignal;
  readonly close?: () => Promise<void> | void;
}

/** Longer than a test may last: who is not woken fails. */
const longMs = 300_000;

/** What every JournalSignal must do. It is a hint: to wake somebody too early is no fault. */
export function describeJournalSignal(
  name: string,
  make: () => Promise<JournalSignalFixture>,
): void {
  describe(`JournalSignal: ${name}`, () => {
    let fixture: JournalSignalFixture;
    let signal: JournalSignal;

    beforeEach(async () => {
      fixture = await make();
      ({ signal } = fixture);
    });
    afterEach(async () => await fixture.close?.());

    it('wakes who waits for the index', async () => {
      const wait = signal.wait('demo', 5, longMs);
      signal.notify('demo', 5);
      expect(await wait).toBeUndefined();
    });

    it('wakes who waits for an earlier index', async () => {
      const waits = [0, 3, 5].map((index) => signal.wait('demo', index, longMs));
      signal.notify('demo', 5);
      await Promise.all(waits);
    });

    it('wakes everybody who waits', async () => {
      const waits = Array.from({ length: 100 }, () => signal.wait('demo', 1, longMs));
      signal.notify('demo', 1);
      await Promise.all(waits);
    });

    it('wakes at once who waits for what was notified before', async () => {
      signal.notify('demo', 5);
      signal.notify('demo', 4);
      await signal.wait('demo', 5, longMs);
      await signal.wait('demo', 0, longMs);
    });

    it('wakes each of several tenants', async () => {
      const waits = ['a', 'b', '__proto__'].map((tenant) => signal.wait(tenant, 0, longMs));
      for (const tenant of ['a', 'b', '__proto__']) signal.notify(tenant, 0);
      await Promise.all(waits);
    });

    it('gives up after the time', async () => {
      const begun = performance.now();
      expect(await signal.wait('demo', 0, 30)).toBeUndefined();
      expect(performance.now() - begun).toBeLessThan(longMs);
      await signal.wait('demo', 0, 0);
    });

    it('gives up when the signal aborts, without a rejection', async () => {
      const controller = new AbortController();
      const wait = signal.wait('demo', 0, longMs, controller.signal);
      controller.abort(new Error('no reason'));
      expect(await wait).toBeUndefined();
      expect(await signal.wait('demo', 0, longMs, AbortSignal.abort())).toBeUndefined();
    });

    it('can be waited for again after each end', async () => {
      const controller = new AbortController();
      controller.abort();
      await signal.wait('demo', 0, 1);
      await signal.wait('demo', 0, longMs, controller.signal);
      for (let index = 0; index < 10; index++) {
        const wait = signal.wait('demo', index, longMs);
        signal.notify('demo', index);
        await wait;
      }
    });

    it('leaves nothing on the abort signal', async () => {
      const controller = new AbortController();
      const waits = [
        signal.wait('demo', 0, longMs, controller.signal),
        signal.wait('demo', 9, 1, controller.signal),
      ];
      signal.notify('demo', 0);
      await Promise.all(waits);
      await setTimeout(1);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    });

    it('takes a notification that nobody waits for', () => {
      for (let index = 0; index < 1000; index++) signal.notify(`t${index % 10}`, index);
    });
  });
}
