import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';

describe('ManualClock', () => {
  it('stands still, and goes where it is set, also back', () => {
    const clock = new ManualClock(1000);
    expect(clock.nowMs()).toBe(1000);
    clock.set(5000);
    clock.set(2000);
    expect(clock.nowMs()).toBe(2000);
  });

  it('wakes at the ms and not before', async () => {
    const clock = new ManualClock(0);
    let woken = 0;
    void clock.sleep(10).then(() => woken++);
    await clock.advance(9);
    expect([woken, clock.sleeping]).toEqual([0, 1]);
    await clock.advance(1);
    expect([woken, clock.sleeping]).toEqual([1, 0]);
  });

  it('lets a loop that sleeps go round as often as in real time, each at its moment', async () => {
    const clock = new ManualClock(0);
    const woken: number[] = [];
    void (async () => {
      for (;;) {
        await clock.sleep(10);
        woken.push(clock.nowMs());
      }
    })();
    await clock.advance(55);
    expect(woken).toEqual([10, 20, 30, 40, 50]);
    expect(clock.nowMs()).toBe(55);
  });

  it('stays whole when sleeps are not', async () => {
    const clock = new ManualClock(0);
    await Promise.all([clock.sleep(0.25), clock.advance(10)]);
    expect(clock.nowMs()).toBe(10);
  });
});
