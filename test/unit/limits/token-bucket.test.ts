import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket, wholeCall } from '../../../src/core/limits/token-bucket.ts';

const rates = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 }))
  .map(([perSecond, more]) => ({ perSecond, burst: perSecond + more }));
/** Waits in ms, and how many calls come after each. */
const arrivals = fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 6000 })), {
  maxLength: 40,
});

describe('TokenBucket', () => {
  it('lets through its burst, then what time brings in', () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0);
    const at = (nowMs: number): boolean => bucket.take(1, nowMs);
    expect([at(0), at(0), at(0), at(0)]).toEqual([true, true, true, false]);
    expect(bucket.waitMs(0)).toBe(500);
    expect([at(499), at(500), at(500)]).toEqual([false, true, false]);
    expect([at(100_000), at(100_000), at(100_000), at(100_000)]).toEqual([true, true, true, false]);
  });

  it('lets through no more than burst + t * rate in any t', () => {
    fc.assert(
      fc.property(rates, arrivals, (rate, calls) => {
        const bucket = new TokenBucket(rate, 0);
        const taken: (readonly [atMs: number, calls: number])[] = [];
        let nowMs = 0;
        for (const [waitMs, count] of calls) {
          nowMs += waitMs;
          let passed = 0;
          while (passed < count && bucket.take(1, nowMs)) passed += 1;
          taken.push([nowMs, passed]);
        }
        for (const [from, [fromMs]] of taken.entries()) {
          let sum = 0;
          for (const [atMs, passed] of taken.slice(from)) {
            sum += passed;
            const most = rate.burst * wholeCall + (atMs - fromMs) * rate.perSecond;
            expect(sum * wholeCall).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });

  it('refuses nobody who keeps to the advertised quota in every window', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.nat({ max: 3000 }), { maxLength: 60 }), (rate, gaps) => {
        const bucket = new TokenBucket(rate, 0);
        const windowMs = Math.ceil(rate.burst / rate.perSecond) * 1000;
        const taken: (readonly [atMs: number, calls: number])[] = [];
        let nowMs = 0;
        for (const gapMs of gaps) {
          nowMs += gapMs;
          const recent = taken.filter(([atMs]) => atMs > nowMs - windowMs);
          const allowed = rate.burst - recent.reduce((sum, [, calls]) => sum + calls, 0);
          expect(bucket.take(allowed, nowMs)).toBe(true);
          taken.push([nowMs, allowed]);
        }
      }),
    );
  });

  it('lets a call through after the wait that it names, and not a ms sooner', () => {
    fc.assert(
      fc.property(rates, fc.nat({ max: 5000 }), (rate, thenMs) => {
        const bucket = new TokenBucket(rate, 0);
        bucket.take(rate.burst, 0);
        bucket.lower(-thenMs, 0, 0);
        const waitMs = Math.ceil(bucket.waitMs(0));
        expect(bucket.take(1, waitMs - 1)).toBe(false);
        expect(bucket.take(1, waitMs)).toBe(true);
      }),
    );
  });

  it('takes all or nothing, and gains nothing from a clock that steps back', () => {
    const bucket = new TokenBucket({ perSecond: 1000, burst: 1000 }, 5000);
    expect(bucket.take(1001, 5000)).toBe(false);
    expect(bucket.take(1000, 5000)).toBe(true);
    expect(bucket.leftAt(1000)).toBe(0);
    expect(bucket.leftAt(1010)).toBe(10 * wholeCall);
  });

  it('can be lowered, and is never raised by that', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0);
    bucket.lower(5 * wholeCall, 0, 100);
    expect(bucket.leftAt(100)).toBe(6 * wholeCall);
    bucket.lower(19 * wholeCall, 100, 100);
    expect(bucket.leftAt(100)).toBe(6 * wholeCall);
    bucket.lower(-10 * wholeCall, 100, 100);
    expect(bucket.waitMs(100)).toBe(1100);
  });
});
