import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canaryPlan, canaryWish } from '../../../src/contract/canary-schemas.ts';

const defaults = {
  observeSeconds: 300,
  maxNewAlerts: 2,
  minDecisions: 20,
  allowSilent: false,
  quorum: null,
};

/** Within the bounds, or not. */
const options = fc.record(
  {
    percent: fc.integer({ min: 0, max: 100_100 }).map((parts) => parts / 1000),
    scope: fc.constantFrom('region:NCR', 'region:SF', null, 'NCR'),
    observeSeconds: fc.integer({ min: 0, max: 14_401 }),
    maxNewAlerts: fc.integer({ min: 0, max: 101 }),
    minDecisions: fc.integer({ min: -1, max: 1e9 + 1 }),
    allowSilent: fc.boolean(),
    quorum: fc.option(fc.integer({ min: 0, max: 10_001 })),
  },
  { requiredKeys: [] },
);

const share = fc.integer({ min: 0, max: 101_000 }).map((parts) => parts / 100_000);

describe('what people write of a canary', () => {
  it.each([
    [{}, { ...defaults, percent: 5, scope: null }],
    [{ scope: 'region:NCR' }, { ...defaults, percent: 100, scope: 'region:NCR' }],
    [
      { percent: 5, scope: 'region:NCR' },
      { ...defaults, percent: 5, scope: 'region:NCR' },
    ],
    [{ percent: 33.333 }, { ...defaults, percent: 33.33, scope: null }],
    [0.05, { ...defaults, percent: 5, scope: null }],
    [0.07, { ...defaults, percent: 7, scope: null }],
    [0.0001, { ...defaults, percent: 0.01, scope: null }],
    [1, { ...defaults, percent: 100, scope: null }],
    [false, null],
    [null, null],
  ])('%j is settled', (wish, plan) => {
    expect(canaryWish.parse(wish)).toEqual(plan);
  });

  it('is a plan in whole hundredths of a percent, which means itself, or is refused', () => {
    const wish = fc.oneof(options, share, fc.anything());
    let plans = 0;
    fc.assert(
      fc.property(wish, (each) => {
        const parsed = canaryWish.safeParse(each);
        if (!parsed.success || parsed.data === null) return;
        plans += 1;
        const { data } = parsed;
        expect(canaryPlan.parse(data)).toEqual(data);
        expect(canaryWish.parse(data)).toEqual(data);
        const weight = Math.round(data.percent * 100);
        expect(weight / 100).toBe(data.percent);
        expect(weight).toBeGreaterThanOrEqual(1);
        expect(weight).toBeLessThanOrEqual(10_000);
      }),
      { numRuns: 1000 },
    );
    expect(plans).toBeGreaterThan(100);
  });
});
