import { beforeEach, describe, expect, it } from 'vitest';
import { defaultRateLimits, type RateLimits } from '../../src/core/limits/rate-limits.ts';
import type { RateLimiter } from '../../src/ports/rate-limiter.ts';

export interface RateLimiterFixture {
  /** As so many processes have it that serve the same callers. */
  readonly limiters: readonly RateLimiter[];
  /** Lets so much time pass for them. */
  readonly pass: (ms: number) => Promise<void>;
}

export interface RateLimiterTraits {
  /** Never lets one call too many through. Else by how much it may be off, in calls. */
  readonly exact: true | ((limits: RateLimits) => number);
}

const limits = { tenant: { perSecond: 100, burst: 200 }, client: { perSecond: 40, burst: 80 } };

/** What every RateLimiter must do. */
export function describeRateLimiter(
  name: string,
  { exact }: RateLimiterTraits,
  make: (limits: RateLimits) => RateLimiterFixture,
): void {
  describe(`RateLimiter: ${name}`, () => {
    let fixture: RateLimiterFixture;
    const slack = exact === true ? 0 : exact(limits);
    beforeEach(() => void (fixture = make(limits)));

    /** How many of so many calls go on, spread over the processes. */
    function passed(count: number, tenant: string, client: (nth: number) => string): number {
      const { limiters } = fixture;
      let sum = 0;
      for (let nth = 0; nth < count; nth++) {
        if (limiters[nth % limiters.length]?.take(tenant, client(nth)) === null) sum += 1;
      }
      return sum;
    }

    function expectAbout(calls: number, allowed: number): void {
      expect(calls).toBeGreaterThanOrEqual(allowed);
      expect(calls).toBeLessThanOrEqual(allowed + slack);
    }

    it('says what it goes by', () => {
      for (const limiter of fixture.limiters) expect(limiter.limits).toEqual(limits);
    });

    it('lets a client have its burst, and says how long to wait for more', async () => {
      expectAbout(
        passed(1000, 'demo', () => 'a'),
        80,
      );
      const refusal = fixture.limiters[0]?.take('demo', 'a');
      expect(refusal?.limit).toBe('client');
      expect(refusal?.waitMs).toBeGreaterThan(0);
      await fixture.pass(Math.ceil(refusal?.waitMs ?? 0));
      expect(fixture.limiters[0]?.take('demo', 'a')).toBeNull();
    });

    it('lets a tenant have its burst, whoever calls', () => {
      expectAbout(
        passed(1000, 'demo', (nth) => `c${nth % 50}`),
        200,
      );
      expect(fixture.limiters[0]?.take('demo', 'new')).toMatchObject({ limit: 'tenant' });
    });

    it('lets the others of a tenant go on when one client is over its limit', async () => {
      let sum = 0;
      for (let step = 0; step < 50; step++) {
        passed(500, 'demo', () => 'flood');
        sum += passed(2, 'demo', () => 'calm');
        await fixture.pass(100);
      }
      expect(sum).toBe(exact === true ? 100 : sum);
      // Where processes find out late, the flood may take the burst of the tenant first.
      expect(sum).toBeGreaterThanOrEqual(50);
    });

    it('keeps tenants apart, also where their clients have the same name', async () => {
      for (let step = 0; step < 20; step++) {
        passed(1000, 'demo', (nth) => `c${nth % 20}`);
        expect(passed(4, 'other', () => 'c1')).toBe(4);
        await fixture.pass(100);
      }
    });

    it('keeps to the rate on average', async () => {
      let sum = 0;
      for (let step = 0; step < 600; step++) {
        sum += passed(60, 'demo', (nth) => `c${nth % 20}`);
        await fixture.pass(50);
      }
      expectAbout(sum, 200 + 100 * 29.95);
    });

    it('counts a part of a call as a part', async () => {
      const [limiter] = fixture.limiters;
      let parts = 0;
      while (parts < 10_000 && limiter?.take('demo', 'a', 0.25) === null) parts += 1;
      expectAbout(parts / 4, 80);
      await fixture.pass(25);
      if (exact !== true) return;
      expect(limiter?.take('demo', 'a', 0.5)).toBeNull();
      expect(limiter?.take('demo', 'a')).toMatchObject({ limit: 'client' });
      expect(limiter?.take('demo', 'a', 0.5)).toBeNull();
      expect(limiter?.take('demo', 'a', 0.001)).not.toBeNull();
    });

    it('uses up nothing by refusing', async () => {
      passed(100_000, 'demo', () => 'a');
      await fixture.pass(40_000);
      expectAbout(
        passed(1000, 'demo', () => 'a'),
        80,
      );
    });

    it('refuses nobody where there is no limit', () => {
      fixture = make({ tenant: null, client: null });
      expect(passed(10_000, 'demo', () => 'a')).toBe(10_000);
      fixture = make({ ...defaultRateLimits, client: null });
      expect(passed(4000, 'demo', () => 'a')).toBe(4000);
    });
  });
}
