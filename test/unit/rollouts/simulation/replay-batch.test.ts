import { describe, expect, it } from 'vitest';
import { mergeResults } from '../../../../src/core/rollouts/simulation/merge-results.ts';
import { planBatches } from '../../../../src/core/rollouts/simulation/plan-batches.ts';
import {
  replayBatch,
  type RuleChange,
} from '../../../../src/core/rollouts/simulation/replay-batch.ts';
import type { Suite } from '../../../../src/core/rollouts/simulation/suite.ts';
import type { Json } from '../../../../src/core/values/json.ts';
import { type Fields, policy, reading, suiteOf, tightened } from './suites.ts';

const replay = (suite: Suite, changes: readonly RuleChange[] = [tightened]) =>
  replayBatch(suite, { from: 0, to: suite.size }, changes);

describe('200 readings, from 35 to 25 µg/m³', () => {
  // 0.25, 0.5 … 50.0: 20.25 to 25 stay compliant, 25.25 to 35 are 40 readings that become
  // violations, 35.25 to 50 are 60 that were violations before. Four bots did not adapt, say the
  // inspectors; of those four, one could not be replayed.
  const scenarios = Array.from({ length: 200 }, (_, i) => {
    const cohort = i % 2 === 0 ? 'urban' : 'rural';
    const pm25 = (i + 1) / 4;
    const late: Fields = i < 4 ? { expected: 'violation' } : {};
    const misread: Fields = i === 0 ? { recorded: 'violation' } : {};
    return reading(`bot-${i}`, pm25, { cohort, ...late, ...misread });
  });
  const suite = suiteOf(scenarios, {
    expect: 'after == (input.pm25 > 25.0 ? "violation" : "compliant")',
    threshold: 0.98,
  });

  it('flip where they lie between the limits, and nowhere else', async () => {
    const result = await replay(suite);
    expect(result).toMatchObject({ suite: 'inspection-bots', from: 0, to: 200 });
    expect(result.flips.map(({ scenarios: _, ...row }) => row)).toEqual([
      { cohort: 'urban', from: 'compliant', to: 'violation', count: 20 },
      { cohort: 'rural', from: 'compliant', to: 'violation', count: 20 },
    ]);
    expect(result.flips[0]?.scenarios.slice(0, 2)).toEqual(['bot-100', 'bot-102']);
    expect(result.flips[0]?.scenarios).toHaveLength(20);
  });

  it('adapt in 196 of the 199 that could be replayed', async () => {
    const result = await replay(suite);
    expect(result).toMatchObject({ replayed: 199, adapted: 196 });
    expect(result.unreplayable).toEqual({
      count: 1,
      named: [
        {
          scenario: 'bot-0',
          why: 'recorded violation, but the rule in force decides compliant',
        },
      ],
    });
    expect(result.unadapted).toEqual({
      count: 3,
      named: [1, 2, 3].map((n) => ({
        scenario: `bot-${n}`,
        why: 'decides compliant, expected violation',
      })),
    });
    expect(mergeResults([suite], [result])).toEqual({
      passed: true,
      scenarios: 200,
      replayed: 199,
      adapted: 196,
      share: 196 / 199,
      flips: result.flips.map(({ cohort, from, to, count, scenarios: named }) => {
        return { suite: suite.name, cohort, from, to, count, scenarios: named.slice(0, 5) };
      }),
      findings: [
        'inspection-bots: 1 of 200 scenarios could not be replayed: bot-0 (recorded violation, but the rule in force decides compliant)',
      ],
      report: null,
    });
  });
});

describe('a scenario', () => {
  const lone = async (fields: Fields, suite: Fields = {}) =>
    replay(suiteOf([reading('a', 30, fields)], suite));

  it('adapts when the candidate decides as expected, whatever the suite expects', async () => {
    expect(await lone({ expected: 'violation' }, { expect: 'false' })).toMatchObject({
      adapted: 1,
    });
    expect(await lone({ expected: 'compliant' }, { expect: 'true' })).toMatchObject({ adapted: 0 });
  });

  it('adapts when the suite says so', async () => {
    const told = 'before == "compliant" && after == "violation" && recorded == before';
    expect(await lone({}, { expect: told })).toMatchObject({ adapted: 1 });
    expect((await lone({}, { expect: 'after == before' })).unadapted.named).toEqual([
      { scenario: 'a', why: 'decides violation, which expect does not accept' },
    ]);
    expect(await lone({}, { expect: '"yes"' })).toMatchObject({ replayed: 1, adapted: 0 });
    expect((await lone({}, { expect: 'input.x == 1' })).unadapted.named).toEqual([
      { scenario: 'a', why: 'expect fails: field not found: x' },
    ]);
  });

  it('adapts, where nothing is expected, when there is a decision at all', async () => {
    expect(await lone({})).toMatchObject({ replayed: 1, adapted: 1 });
  });

  it('never adapts where the candidate fails; its decision is then "error"', async () => {
    const changes = [{ ...tightened, after: { limit: 'high' } }];
    const suite = suiteOf([reading('a', 30, { expected: 'error' })], { expect: 'true' });
    expect(await replay(suite, changes)).toMatchObject({
      replayed: 1,
      adapted: 0,
      flips: [{ from: 'compliant', to: 'error', count: 1 }],
      unadapted: { named: [{ why: expect.stringMatching(/^error: found no matching overload/) }] },
    });
  });

  it('cannot be replayed where the rule in force fails, not even recorded as an error', async () => {
    const changes = [{ ...tightened, before: { version: '1.0.0' } }];
    const suite = suiteOf([reading('a', 30, { recorded: 'error' })]);
    expect(await replay(suite, changes)).toMatchObject({
      replayed: 0,
      flips: [{ from: 'error', to: 'violation' }],
      unreplayable: {
        count: 1,
        named: [{ why: 'the rule in force fails: field not found: limit' }],
      },
    });
  });

  it('is replayed as recorded when no rule is in force yet', async () => {
    const changes = [{ ...tightened, before: null }];
    const suite = suiteOf([reading('a', 30), reading('b', 20)], { expect: 'before == recorded' });
    expect(await replay(suite, changes)).toMatchObject({
      replayed: 2,
      adapted: 2,
      flips: [{ from: 'compliant', to: 'violation', count: 1, scenarios: ['a'] }],
    });
  });

  it.each<[string, Json, Json]>([
    ['input.n * 2.0', 25, 50],
    ['input.n * 2.0', 25, '50'],
    ['int(input.n)', 25.0, 25],
    ['input.n / 4.0', 1, 0.25],
    ['input.n > 1.0', 25, true],
    ['input.n > 1.0', 25, 'true'],
    ['input.n * 0.0', -1, 0],
  ])('compares decisions by their text: %s of %j is %j', async (decision, n, recorded) => {
    const suite = suiteOf([{ name: 'a', input: { n }, recorded }], { decision });
    expect(await replay(suite)).toMatchObject({ replayed: 1 });
  });

  it.each([
    ['[1]', 'decides neither a text nor a number nor a boolean'],
    ['null', 'decides neither'],
    ['input.pm25 / 0.0', 'decides neither'],
    [`"${'x'.repeat(65)}"`, 'the decision is longer than 64 bytes'],
    [String.raw`"a\nb"`, 'the decision holds a control character'],
  ])('fails where %s is no decision', async (decision, why) => {
    const changes = [{ ...tightened, before: null }];
    const result = await replay(suiteOf([reading('a', 30)], { decision }), changes);
    expect(result.unadapted.named[0]?.why).toContain(why);
  });

  it('cannot change what another sees, nor reach beyond its variables', async () => {
    const suite = suiteOf([reading('a', 30)], { decision: 'string(has(input.constructor))' });
    expect(await replay(suite)).toMatchObject({ flips: [], unreplayable: { count: 1 } });
  });
});

describe('a protected cohort', () => {
  it('names what flips in it, also what could not be replayed', async () => {
    const scenarios = [
      reading('h1', 30, { cohort: 'hospitals' }),
      reading('h2', 30, { cohort: 'hospitals', recorded: 'violation' }),
      reading('h3', 40, { cohort: 'hospitals' }),
      reading('u1', 30, { cohort: 'urban' }),
    ];
    const suite = suiteOf(scenarios, { protected: ['hospitals'], threshold: 0 });
    const result = await replay(suite);
    expect(result.protectedFlips).toEqual({
      count: 2,
      named: ['h1', 'h2'].map((scenario) => ({
        scenario,
        why: 'hospitals: compliant → violation',
      })),
    });
    const { passed, share, findings } = mergeResults([suite], [result]);
    expect({ passed, share }).toEqual({ passed: false, share: 1 });
    expect(findings[0]).toMatch(/^inspection-bots: 2 flipped in protected cohorts: h1 \(hosp/);
  });
});

describe('a suite of several policies', () => {
  const fees: RuleChange = { id: 'fees', before: { fee: 10 }, after: { fee: 12 } };
  const unchanged: RuleChange = { id: policy, before: { limit: 35 }, after: { limit: 35 } };
  const scenario = { name: 'a', input: { pm25: 40 }, recorded: 10 };
  const both = {
    policies: [policy, 'fees'],
    decision: `input.pm25 > policies["${policy}"].limit ? policies["fees"].fee : 0.0`,
  };

  it('sees them all, by id', async () => {
    const suite = suiteOf([scenario], both);
    for (const changes of [
      [tightened, fees],
      [fees, unchanged],
    ]) {
      expect(await replay(suite, changes)).toMatchObject({
        replayed: 1,
        flips: [{ from: '10', to: '12' }],
      });
    }
  });

  it('takes for `policy` the first of them that changes', async () => {
    const suite = suiteOf([scenario], { ...both, decision: 'policy.fee' });
    expect(await replay(suite, [fees])).toMatchObject({ replayed: 1, adapted: 1 });
    expect(await replay(suite, [unchanged, fees])).toMatchObject({ replayed: 1, adapted: 1 });
    expect(await replay(suite, [tightened, fees])).toMatchObject({ replayed: 0 });
  });

  it('goes by the records when one of them is new', async () => {
    const suite = suiteOf([scenario], both);
    const result = await replay(suite, [tightened, { ...fees, before: null }]);
    expect(result).toMatchObject({ replayed: 1, flips: [{ from: '10', to: '12' }] });
  });

  it('sees none that is not its own', async () => {
    const suite = suiteOf([scenario], { decision: 'policies["fees"].fee' });
    expect(await replay(suite, [tightened, fees])).toMatchObject({ replayed: 0 });
  });
});

describe('what a batch says is bounded', () => {
  it('below 200 KiB, however large its names and decisions are', async () => {
    const scenarios = Array.from({ length: 500 }, (_, i) => {
      const pad = (bytes: number) => `${i}`.padStart(3, '0') + 'é'.repeat((bytes - 3) >> 1);
      return {
        name: pad(100),
        cohort: pad(40),
        input: { after: pad(64) },
        recorded: `x${pad(63)}`,
        expected: 'never',
      };
    });
    const suite = suiteOf(scenarios, {
      decision: 'input.after',
      protected: scenarios.slice(0, 50).map(({ cohort }) => cohort),
    });
    for (const before of [null, {}]) {
      const result = await replay(suite, [{ ...tightened, before }]);
      expect(result.flips).toHaveLength(before === null ? 500 : 0);
      expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(200 * 1024);
    }
  });

  it('by 20 names in each list', async () => {
    const scenarios = Array.from({ length: 100 }, (_, i) =>
      reading(`b${i}`, 30, i < 50 ? { recorded: 'violation' } : { expected: 'compliant' }),
    );
    const result = await replay(suiteOf(scenarios, { protected: ['all'] }));
    expect(result.flips.map(({ count, scenarios: names }) => [count, names.length])).toEqual([
      [100, 20],
    ]);
    for (const [list, count] of [
      [result.protectedFlips, 100],
      [result.unreplayable, 50],
      [result.unadapted, 50],
    ] as const) {
      expect([list.count, list.named.length]).toEqual([count, 20]);
    }
  });
});

describe('planBatches', () => {
  it('puts every scenario into one batch of at most 500', () => {
    const suites = [
      { name: 'a', size: 1001 },
      { name: 'b', size: 500 },
    ];
    expect(planBatches(suites)).toEqual([
      { suite: 'a', from: 0, to: 500 },
      { suite: 'a', from: 500, to: 1000 },
      { suite: 'a', from: 1000, to: 1001 },
      { suite: 'b', from: 0, to: 500 },
    ]);
    expect(planBatches([])).toEqual([]);
  });

  it('refuses more than 200 batches', () => {
    const five = Array.from({ length: 5 }, (_, i) => ({ name: `s${i}`, size: 20_000 }));
    expect(planBatches(five)).toHaveLength(200);
    expect(() => planBatches([...five, { name: 'one', size: 1 }])).toThrow(
      /100001 scenarios in 201 batches/,
    );
  });
});
