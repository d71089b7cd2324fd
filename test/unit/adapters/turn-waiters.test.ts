import { describe, expect, it } from 'vitest';

import { TurnWaiters } from '../../../src/adapters/local/turn-waiters.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const wish = { max: 1, hideMs: 1000, waitMs: 20_000 };
const turn = { tenant: 'demo', type: 't', id: '1', receipt: 'r' };

describe('TurnWaiters', () => {
  it('tells all who wait of an error of the source, and lets others wait after them', async () => {
    let isBroken = true;
    const claim = () => {
      if (isBroken) throw new Unavailable('no');
      return [turn];
    };
    const waiters = new TurnWaiters({ claim, nextVisibleMs: () => undefined }, new ManualClock());
    const waiting = [waiters.wait('t', wish), waiters.wait('t', wish)];
    waiters.expect('t', 0);
    const settled = await Promise.allSettled(waiting);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isBroken = false;
    const next = waiters.wait('t', wish);
    waiters.expect('t', 0);
    expect(await next).toEqual([turn]);
  });

  it('looks again when its timer was ahead of the time of day', async () => {
    class EarlyClock extends ManualClock {
      override sleep(ms: number, signal?: AbortSignal): Promise<void> {
        return super.sleep(ms > 1 ? ms - 1 : ms, signal);
      }
    }
    const clock = new EarlyClock();
    const dueMs = clock.nowMs() + 500;
    const claimedMs: number[] = [];
    const claim = () => {
      claimedMs.push(clock.nowMs() - dueMs);
      return clock.nowMs() < dueMs ? [] : [turn];
    };
    const waiters = new TurnWaiters({ claim, nextVisibleMs: () => dueMs }, clock);
    const waiting = waiters.wait('t', wish);
    await clock.advance(600);
    expect(await waiting).toEqual([turn]);
    expect(claimedMs).toEqual([-1, 0]);
  });

  it('keeps to the earliest of the times that it is told', async () => {
    const clock = new ManualClock();
    const begunMs = clock.nowMs();
    const due: number[] = [];
    const source = {
      claim: () => {
        due.push(clock.nowMs() - begunMs);
        return [turn];
      },
      nextVisibleMs: () => begunMs + 5000,
    };
    const waiters = new TurnWaiters(source, clock);
    const waiting = waiters.wait('t', wish);
    waiters.expect('t', begunMs + 9000);
    waiters.expect('t', begunMs + 2000);
    waiters.expect('t', begunMs + 3000);
    waiters.expect('other', begunMs);
    await clock.advance(10_000);
    expect(await waiting).toEqual([turn]);
    expect(due).toEqual([2000]);
    expect(clock.sleeping).toBe(0);
  });
});
