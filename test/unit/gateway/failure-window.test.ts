import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureWindow } from '../../../src/core/gateway/failure-window.ts';

describe('FailureWindow', () => {
  it('counts the calls of the last ten seconds, and failures in a row', () => {
    const step = fc.record({ pastMs: fc.nat(4000), isGood: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new FailureWindow();
        const calls: { second: number; isGood: boolean }[] = [];
        let nowMs = 1_700_000_000_000;
        for (const { pastMs, isGood } of steps) {
          nowMs += pastMs;
          if (isGood) window.succeed(nowMs);
          else window.fail(nowMs);
          calls.push({ second: Math.floor(nowMs / 1000), isGood });
          const recent = calls.filter(({ second }) => second > Math.floor(nowMs / 1000) - 10);
          expect(window.tally(nowMs)).toEqual({
            calls: recent.length,
            failures: recent.filter((call) => !call.isGood).length,
          });
          const lastGood = calls.findLastIndex((call) => call.isGood);
          expect(window.inARow).toBe(calls.length - 1 - lastGood);
        }
      }),
    );
  });

  it('takes a clock that steps back for one that stands still', () => {
    const window = new FailureWindow();
    window.fail(100_000);
    window.fail(50_000);
    expect(window.tally(50_000)).toEqual({ calls: 2, failures: 2 });
    expect(window.tally(109_999)).toEqual({ calls: 2, failures: 2 });
    expect(window.tally(110_000)).toEqual({ calls: 0, failures: 0 });
  });

  it('forgets', () => {
    const window = new FailureWindow();
    window.fail(0);
    window.clear();
    expect([window.tally(0), window.inARow]).toEqual([{ calls: 0, failures: 0 }, 0]);
  });
});
