import { describe, expect, it } from 'vitest';
import type { BatchResult } from '../../../../src/core/rollouts/simulation/batch-result.ts';
import { mergeResults } from '../../../../src/core/rollouts/simulation/merge-results.ts';
import {
  renderReport,
  type ReportSubject,
} from '../../../../src/core/rollouts/simulation/render-report.ts';
import { replayBatch } from '../../../../src/core/rollouts/simulation/replay-batch.ts';
import type { SuiteGate } from '../../../../src/core/rollouts/simulation/suite.ts';
import { policy, reading, suiteOf, tightened } from './suites.ts';

const about: ReportSubject = {
  run: 184,
  channel: 'prod',
  policies: [{ id: policy, before: '1.5.0', after: '2.0.0' }],
  at: '2024-06-10T18:30:00.000Z',
};

const report = (gates: readonly SuiteGate[], results: readonly BatchResult[]) =>
  renderReport(mergeResults(gates, results), gates, results, about);

describe('the report', () => {
  it('reads from the verdict down to the names', async () => {
    const suite = suiteOf(
      [
        reading('bot-17', 30.5, { cohort: 'urban', expected: 'violation' }),
        reading('bot-18', 31, { cohort: 'urban' }),
        reading('ward-3', 26, { cohort: 'hospitals' }),
        reading('bot-19', 40, { recorded: 'compliant' }),
        reading('bot-20', 20, { expected: 'violation' }),
      ],
      { protected: ['hospitals'], threshold: 0.9 },
    );
    const results = [await replayBatch(suite, { from: 0, to: 5 }, [tightened])];
    expect(report([suite], results)).toBe(`# Simulation of run #184: FAIL

- epa-pm25-limit: 1.5.0 → 2.0.0
- Channel prod, 2024-06-10T18:30:00.000Z

**75% adapted**: of 5 recorded scenarios 4 could be replayed, and the candidate serves 3 of them as expected.

- inspection-bots: 75% adapted (3 of 4), below the threshold of 90%: bot-20 (decides compliant, expected violation)
- inspection-bots: 1 flipped in protected cohorts: ward-3 (hospitals: compliant → violation)
- inspection-bots: 1 of 5 scenarios could not be replayed: bot-19 (recorded compliant, but the rule in force decides violation)

## inspection-bots: FAIL

75% adapted (3 of 4 replayed, 5 in all), 90% wanted. No decision may change for hospitals.

- 75% adapted (3 of 4), below the threshold of 90%: bot-20 (decides compliant, expected violation)
- 1 flipped in protected cohorts: ward-3 (hospitals: compliant → violation)

### Decisions that change

| cohort | in force | candidate | count | scenarios |
|---|---|---|---:|---|
| urban | compliant | violation | 2 | bot-17, bot-18 |
| hospitals (protected) | compliant | violation | 1 | ward-3 |

### Could not be replayed (1)

- bot-19: recorded compliant, but the rule in force decides violation

### Did not adapt (1)

- bot-20: decides compliant, expected violation

### Changed in protected cohorts (1)

- ward-3: hospitals: compliant → violation
`);
  });

  it('says that there was nothing to replay', () => {
    const none: ReportSubject['policies'] = [{ id: policy, before: null, after: '1.0.0' }];
    const text = renderReport(mergeResults([], []), [], [], { ...about, policies: none });
    expect(text).toContain('# Simulation of run #184: SKIPPED');
    expect(text).toContain('no rule in force → 1.0.0');
    expect(text).toContain('skipped');
  });

  it('shows markup in names as text', async () => {
    const name = '| <img src=x> [a](http://b) `c` *d* &amp; @e www.f';
    const suite = suiteOf([reading(name, 30, { cohort: '#1' })]);
    const results = [await replayBatch(suite, { from: 0, to: 1 }, [tightened])];
    expect(report([suite], results)).toContain(
      '| !#1 | compliant | violation | 1 | !| !<img src=x!> ![a!](http!://b) !`c!` !*d!* !&amp; !@e www!.f |'.replaceAll(
        '!',
        '\\',
      ),
    );
  });

  it('stays small enough to be read and kept', () => {
    const named = Array.from({ length: 20 }, (_, i) => ({
      scenario: `${'|'.repeat(97)}${i}`,
      why: '|'.repeat(250),
    }));
    const list = { count: 500, named };
    const flips = Array.from({ length: 500 }, (_, i) => ({
      cohort: `${'|'.repeat(37)}${i}`,
      from: '|'.repeat(64),
      to: '_'.repeat(64),
      count: 1,
      scenarios: named.map(({ scenario }) => scenario),
    }));
    const gates = Array.from({ length: 200 }, (_, i) => ({
      name: `s${i}`,
      threshold: 1,
      protected: [],
      size: 500,
    }));
    const results = gates.map(({ name }) => ({
      suite: name,
      from: 0,
      to: 500,
      replayed: 500,
      adapted: 0,
      flips,
      protectedFlips: list,
      unreplayable: list,
      unadapted: list,
    }));
    const text = report(gates, results);
    expect(text.length).toBeLessThan(16 * 1024 * 1024);
    expect(text).toContain('495 more rows.');
  });
});
