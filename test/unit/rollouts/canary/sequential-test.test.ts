import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyTest,
  eValueLimit,
  takeLook,
  type TestLook,
  type TestState,
} from '../../../../src/core/rollouts/canary/sequential-test.ts';

const none: TestLook = {
  canaryAlerts: 0,
  stableAlerts: 0,
  canaryDecisions: 0,
  stableDecisions: 0,
};

function look(
  canaryAlerts: number,
  stableAlerts: number,
  canaryDecisions: number,
  stableDecisions: number,
): TestLook {
  return { canaryAlerts, stableAlerts, canaryDecisions, stableDecisions };
}

function after(...looks: readonly TestLook[]): TestState {
  return looks.reduce(takeLook, emptyTest());
}

const alerts = fc.integer({ min: 0, max: 200 });
const decisions = fc.integer({ min: 1, max: 100_000 });
const seed = 20_261_120;

/** All n-th powers and Pascal's triangle are small here: the exact mean over c given n. */
function meanOfEValue(ratio: number, n: number, canaryDecisions: number, stableDecisions: number) {
  const odds = (ratio * canaryDecisions) / stableDecisions;
  const chance = odds / (1 + odds);
  let ways = 1;
  let mean = 0;
  for (let c = 0; c <= n; c++) {
    const weight = ways * chance ** c * (1 - chance) ** (n - c);
    mean += weight * after(look(c, n - c, canaryDecisions, stableDecisions)).eValue;
    ways = (ways * (n - c)) / (c + 1);
  }
  return mean;
}

describe('the sequential test', () => {
  it('knows nothing at first', () => {
    expect(emptyTest().eValue).toBe(1);
    expect(after(look(0, 0, 100, 1900))).toMatchObject({ eValue: 1, held: none });
    expect(eValueLimit(0.05)).toBe(20);
  });

  it('is the mean of the likelihood ratios, as computed by hand', () => {
    const ratios = Array.from({ length: 12 }, (_, j) => 1.2 * (32 / 1.2) ** (j / 11));
    expect(ratios.at(-1)).toBeCloseTo(32);
    // 3 of 4 alerts from an arm with a tenth of the decisions.
    const likelihoods = ratios.map((ratio) => {
      const share = ratio / (ratio + 9);
      return (share ** 3 * (1 - share)) / (0.1 ** 3 * 0.9);
    });
    const mean = likelihoods.reduce((sum, each) => sum + each) / 12;
    expect(after(look(3, 1, 100, 900)).eValue).toBeCloseTo(mean, 9);
  });

  it('has a mean of exactly 1 under the null, and at most 1 when the canary alerts less', () => {
    for (const n of [1, 5, 20]) {
      for (const canaryDecisions of [50, 1000, 19_000]) {
        expect(meanOfEValue(1, n, canaryDecisions, 1000)).toBeCloseTo(1, 9);
        for (const ratio of [0, 0.1, 0.5, 0.9, 0.99]) {
          expect(meanOfEValue(ratio, n, canaryDecisions, 1000)).toBeLessThan(1);
        }
        expect(meanOfEValue(3, n, canaryDecisions, 1000)).toBeGreaterThan(1);
      }
    }
  });

  it('aborts by mistake with at most 5 %, though it is looked at after every tick', () => {
    const random = mulberry32(seed);
    for (const [share, mean] of [
      [0.05, 0.5],
      [0.05, 10],
      [0.5, 3],
    ] as const) {
      let aborts = 0;
      const canaries = 2000;
      for (let i = 0; i < canaries; i++) {
        let state = emptyTest();
        for (let tick = 0; tick < 60 && state.eValue < 20; tick++) {
          const mine = poisson(random, mean * share);
          const others = poisson(random, mean * (1 - share));
          state = takeLook(state, look(mine, others, 10_000 * share, 10_000 * (1 - share)));
        }
        if (state.eValue >= 20) aborts++;
      }
      expect(aborts / canaries).toBeLessThanOrEqual(0.05);
      // A test that never rejects would pass the line above, too.
      expect(aborts).toBeGreaterThan(0);
    }
  });

  it('finds a canary that alerts five times as often', () => {
    const random = mulberry32(seed);
    let aborts = 0;
    for (let i = 0; i < 200; i++) {
      let state = emptyTest();
      for (let tick = 0; tick < 60 && state.eValue < 20; tick++) {
        const [mine, others] = [poisson(random, 0.5), poisson(random, 1.9)];
        state = takeLook(state, look(mine, others, 100, 1900));
      }
      if (state.eValue >= 20) aborts++;
    }
    expect(aborts).toBeGreaterThan(190);
  });

  it('does not care how one look is split, as long as the arms keep their proportion', () => {
    fc.assert(
      fc.property(alerts, alerts, decisions, decisions, fc.integer({ min: 1, max: 9 }), (...of) => {
        const [mine, others, canary, stable, parts] = of;
        const whole = after(look(mine * parts, others * parts, canary * parts, stable * parts));
        const split = Array.from({ length: parts }, () => look(mine, others, canary, stable));
        const each = after(...split);
        whole.logRatios.forEach((logRatio, j) =>
          expect(each.logRatios[j]).toBeCloseTo(logRatio, 6),
        );
      }),
      { seed },
    );
  });

  it('rises with each alert of the canary, and falls with each of the stable arm', () => {
    fc.assert(
      fc.property(alerts, alerts, decisions, decisions, (mine, others, canary, stable) => {
        const { eValue } = after(look(mine, others, canary, stable));
        const more = after(look(mine + 1, others, canary, stable)).eValue;
        const less = after(look(mine, others + 1, canary, stable)).eValue;
        expect(more).toBeGreaterThanOrEqual(eValue);
        expect(less).toBeLessThanOrEqual(eValue);
        // More decisions of the canary make the same alerts fewer.
        expect(after(look(mine, others, canary * 2, stable)).eValue).toBeLessThanOrEqual(
          eValue * (1 + 1e-9),
        );
      }),
      { seed },
    );
  });

  it('loses nothing of looks that it holds', () => {
    const held = after(look(2, 0, 0, 0), look(0, 3, 0, 500), look(1, 0, 0, 400));
    expect(held).toMatchObject({ eValue: 1, held: look(3, 3, 0, 900) });
    const taken = takeLook(held, look(0, 0, 100, 0));
    expect(taken).toEqual(after(look(3, 3, 100, 900)));
    expect(taken.held).toEqual(none);
  });

  it('counts everything once, whatever comes when', () => {
    const few = fc.integer({ min: 0, max: 5 });
    const some = fc.record({
      canaryAlerts: few,
      stableAlerts: few,
      canaryDecisions: few,
      stableDecisions: few,
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 20 }), (looks) => {
        const end = after(...looks, look(0, 0, 1, 1));
        expect(end.held).toEqual(none);
        let pooled = none;
        const pools: TestLook[] = [];
        for (const each of [...looks, look(0, 0, 1, 1)]) {
          pooled = pool(pooled, each);
          if (pooled.canaryDecisions === 0 || pooled.stableDecisions === 0) continue;
          pools.push(pooled);
          pooled = none;
        }
        expect(end).toEqual(after(...pools));
      }),
      { seed },
    );
  });

  it('takes a count that has shrunk for none', () => {
    expect(takeLook(after(look(1, 1, 10, 90)), look(-3, -1, -5, -9))).toMatchObject({ held: none });
    expect(after(look(-1, 2, 10, 90))).toEqual(after(look(0, 2, 10, 90)));
  });

  it('survives JSON, however strong the evidence', () => {
    const state = after(look(1_000_000, 0, 1, 1_000_000));
    expect(state.eValue).toBe(Number.MAX_VALUE);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

function pool(a: TestLook, b: TestLook): TestLook {
  return look(
    a.canaryAlerts + b.canaryAlerts,
    a.stableAlerts + b.stableAlerts,
    a.canaryDecisions + b.canaryDecisions,
    a.stableDecisions + b.stableDecisions,
  );
}

/** https://github.com/cprosche/mulberry32 */
function mulberry32(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function poisson(random: () => number, mean: number): number {
  const floor = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > floor; product *= random()) count++;
  return count;
}
