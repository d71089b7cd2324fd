import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchResult } from '../../../../src/core/rollouts/simulation/batch-result.ts';
import {
  mergeResults,
  outcomesOf,
  percent,
} from '../../../../src/core/rollouts/simulation/merge-results.ts';
import { replayBatch } from '../../../../src/core/rollouts/simulation/replay-batch.ts';
import { reading, suiteOf, tightened } from './suites.ts';

const none = { count: 0, named: [] };

function result(fields: Partial<BatchResult> = {}): BatchResult {
  return {
    suite: 's',
    from: 0,
    to: 200,
    replayed: 200,
    adapted: 200,
    flips: [],
    protectedFlips: none,
    unreplayable: none,
    unadapted: none,
    ...fields,
  };
}

function gate(fields: { name?: string; threshold?: number; size?: number } = {}) {
  return { name: 's', threshold: 0.95, protected: [], size: 200, ...fields };
}

describe('the gate', () => {
  it.each([
    [200, 0.95, 190, true],
    [200, 0.95, 189, false],
    [100, 0.57, 57, true],
    [3, 1, 3, true],
    [3, 1, 2, false],
    [3, 0, 0, true],
  ])('of %i replayed and threshold %f: %i adapted pass: %s', (replayed, threshold, adapted, ok) => {
    const batch = result({ replayed, adapted });
    expect(mergeResults([gate({ threshold })], [batch]).passed).toBe(ok);
  });

  it('fails each suite by itself, and says why', () => {
    const gates = [gate(), gate({ name: 'weak' }), gate({ name: 'blind', threshold: 0 })];
    const unadapted = { count: 11, named: [{ scenario: 'b7', why: 'decides x, expected y' }] };
    const results = [
      result({ suite: 'weak', adapted: 189, unadapted }),
      result({ suite: 'blind', replayed: 0, adapted: 0, unreplayable: { count: 200, named: [] } }),
      result(),
    ];
    expect(mergeResults(gates, results)).toMatchObject({
      passed: false,
      scenarios: 600,
      replayed: 400,
      adapted: 389,
      share: 389 / 400,
      findings: [
        'weak: 94.5% adapted (189 of 200), below the threshold of 95%: b7 (decides x, expected y)',
        'blind: none of the 200 scenarios could be replayed',
        'blind: 200 of 200 scenarios could not be replayed',
      ],
    });
  });

  it('is skipped without suites', () => {
    expect(mergeResults([], [])).toEqual({
      passed: true,
      scenarios: 0,
      replayed: 0,
      adapted: 0,
      share: null,
      flips: [],
      findings: ['skipped: no suite is registered for these policies or comes with their packages'],
      report: null,
    });
  });

  it.each([
    ['missing', []],
    ['there twice', [result(), result()]],
    ['cut off', [result({ to: 199 })]],
    ['with a gap', [result({ to: 99 }), result({ from: 100 })]],
    ['overlapping', [result({ to: 101 }), result({ from: 100 })]],
  ])('does not judge batches that are %s', (_how, results) => {
    expect(() => mergeResults([gate()], results)).toThrow(/do not cover it once each/);
  });
});

describe('a summary', () => {
  it('shows the 50 most frequent flips and 20 findings, whatever there is', () => {
    const flips = Array.from({ length: 400 }, (_, i) => ({
      cohort: `c${i}`,
      from: 'a',
      to: 'b',
      count: i + 1,
      scenarios: Array.from({ length: 20 }, (__, n) => `${'n'.repeat(97)}${n}`),
    }));
    const why = 'w'.repeat(300);
    const unreplayable = {
      count: 9,
      named: Array.from({ length: 9 }, () => ({ scenario: 's', why })),
    };
    const gates = Array.from({ length: 30 }, (_, i) => gate({ name: `s${i}`, threshold: 1 }));
    const results = gates.map(({ name }) =>
      result({ suite: name, flips, unreplayable, adapted: 1 }),
    );
    const summary = mergeResults(gates, results);
    expect(summary.flips).toHaveLength(50);
    expect(summary.flips.map(({ count }) => count).slice(0, 31)).toEqual([
      ...Array(30).fill(400),
      399,
    ]);
    expect(summary.flips[0]?.scenarios).toHaveLength(5);
    expect(summary.findings).toHaveLength(20);
    expect(JSON.stringify(summary).length).toBeLessThan(64 * 1024);
  });
});

describe('batches', () => {
  it('merged in any order are what one big batch is', async () => {
    const scenario = fc.record({
      pm25: fc.integer({ min: 15, max: 45 }),
      cohort: fc.constantFrom('urban', 'rural', 'hospitals'),
      recorded: fc.option(fc.constantFrom('violation', 'compliant'), { nil: undefined }),
      expected: fc.option(fc.constantFrom('violation', 'compliant'), { nil: undefined }),
    });
    const cuts = fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(scenario, { minLength: 1, maxLength: 120 }),
        cuts,
        fc.infiniteStream(fc.nat()),
        async (drawn, cut, order) => {
          const scenarios = drawn.map(({ pm25, cohort, ...told }, i) => {
            const given = Object.entries(told).filter(([, value]) => value !== undefined);
            return reading(`s${i}`, pm25, { cohort, ...Object.fromEntries(given) });
          });
          const cohorts = new Set(drawn.map(({ cohort }) => cohort));
          const suite = suiteOf(scenarios, {
            protected: cohorts.has('hospitals') ? ['hospitals'] : [],
            threshold: 0.5,
          });
          const at = [...new Set([0, ...cut.filter((n) => n < suite.size), suite.size])];
          at.sort((a, b) => a - b);
          const ranges = at.slice(1).map((to, i) => ({ from: at[i] ?? 0, to }));
          const parts = await Promise.all(
            ranges.map((range) => replayBatch(suite, range, [tightened])),
          );
          parts.sort(() => ((order.next().value ?? 0) % 2 === 0 ? 1 : -1));
          const whole = [await replayBatch(suite, { from: 0, to: suite.size }, [tightened])];
          expect(outcomesOf([suite], parts)).toEqual(outcomesOf([suite], whole));
          expect(mergeResults([suite], parts)).toEqual(mergeResults([suite], whole));
        },
      ),
      { numRuns: 40 },
    );
  });
});

it('a share is cut to a tenth of a percent', () => {
  expect([0.984, 0.57, 0.9499, 0.99999, 1, 0, 196 / 199].map(percent)).toEqual([
    '98.4%',
    '57%',
    '94.9%',
    '99.9%',
    '100%',
    '0%',
    '98.4%',
  ]);
});
