import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inProcessSignal } from '../../../src/adapters/local/in-process-signal.ts';

/** Longer than a test may last: who is not woken fails. */
const longMs = 300_000;
const timers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('inProcessSignal', () => {
  it('does not wake for an earlier index or another tenant', async () => {
    const signal = inProcessSignal();
    let woken = 0;
    const wait = signal.wait('demo', 5, longMs).then(() => woken++);
    signal.notify('demo', 4);
    signal.notify('other', 5);
    await setImmediate();
    expect(woken).toBe(0);
    signal.notify('demo', 5);
    await wait;
  });

  it('does not resolve at once for what was notified to another tenant', async () => {
    const signal = inProcessSignal();
    signal.notify('other', 5);
    let woken = 0;
    const wait = signal.wait('demo', 5, longMs).then(() => woken++);
    await setImmediate();
    expect(woken).toBe(0);
    signal.notify('demo', 5);
    await wait;
  });

  it('wakes only those whose index has come', async () => {
    const signal = inProcessSignal();
    const woken: number[] = [];
    const waits = [1, 2, 3].map((index) =>
      signal.wait('demo', index, longMs).then(() => woken.push(index)),
    );
    signal.notify('demo', 2);
    await setImmediate();
    expect(woken).toEqual([1, 2]);
    signal.notify('demo', 3);
    await Promise.all(waits);
  });

  it('leaves no timer behind, whatever ended the wait', async () => {
    const signal = inProcessSignal();
    const before = timers();
    const controller = new AbortController();
    const waits = [
      signal.wait('demo', 0, longMs),
      signal.wait('other', 0, longMs, controller.signal),
      signal.wait('third', 0, 1),
      signal.wait('fourth', 0, 2 ** 40, controller.signal),
    ];
    expect(timers()).toBeGreaterThan(before);
    signal.notify('demo', 0);
    controller.abort();
    await Promise.all(waits);
    await setImmediate();
    expect(timers()).toBe(before);
  });

  it('does not take a wait of weeks for none', async () => {
    const signal = inProcessSignal();
    const controller = new AbortController();
    let woken = 0;
    const wait = signal.wait('demo', 0, 2 ** 40, controller.signal).then(() => woken++);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(woken).toBe(0);
    controller.abort();
    await wait;
  });
});
