import { describe, expect, it } from 'vitest';
import { parseSuite } from '../../../../src/core/rollouts/simulation/parse-suite.ts';
import type { Json } from '../../../../src/core/values/json.ts';
import { refusalOf } from '../../packages/refusal-of.ts';
import { decision, document, policy, reading } from './suites.ts';

const one = [reading('bot-17 2024-03-02', 30.5)];

/** `pointer detail` of each finding; empty when the document is taken. */
async function findings(given: Json, name = 'bots', owner?: string): Promise<string[]> {
  let taken = false;
  const { code, details } = await refusalOf(() => {
    parseSuite(name, given, owner);
    taken = true;
    throw new Error('taken');
  }).catch((error: unknown) => {
    if (taken) return { code: 'invalid_policy', details: [] };
    throw error;
  });
  expect(code).toBe('invalid_policy');
  return details.map(({ pointer, detail }) => `${pointer} ${detail}`);
}

describe('parseSuite', () => {
  it('reads a suite, with its defaults', () => {
    expect(parseSuite('bots', document(one))).toEqual({
      name: 'bots',
      policies: [policy],
      decision,
      expect: null,
      threshold: 1,
      protected: [],
      size: 1,
      scenarios: [
        {
          name: 'bot-17 2024-03-02',
          cohort: 'all',
          input: { pm25: 30.5 },
          recorded: 'compliant',
          expected: null,
        },
      ],
    });
  });

  it('takes all that a document may say', () => {
    const scenarios = [reading('a', 30.5, { cohort: 'hospitals', expected: 'violation' })];
    const fields = {
      suite: 'bots',
      description: 'readings of March',
      expect: 'after == before || recorded == "x" || policies["a"].x == policy.x && input.a',
      threshold: 0.95,
      protected: ['hospitals'],
    };
    expect(parseSuite('bots', document(scenarios, fields))).toMatchObject({
      threshold: 0.95,
      protected: ['hospitals'],
      scenarios: [{ cohort: 'hospitals', expected: 'violation' }],
    });
  });

  it('names a suite of a package after its policy, for which it is', () => {
    const { policies: _, ...packaged } = document(one);
    for (const given of [packaged, document(one)]) {
      expect(parseSuite('bots', given, policy)).toMatchObject({
        name: `${policy}/bots`,
        policies: [policy],
      });
    }
  });

  it.each<[string, Json, string]>([
    ['no mapping', [1], ' must be a mapping with decision and scenarios'],
    ['another name', document(one, { suite: 'other' }), '/suite must be "bots"; or leave it out'],
    ['an unknown field', document(one, { treshold: 1 }), ' has the unknown field "treshold"'],
    ['no policies', document(one, { policies: [] }), '/policies is missing'],
    ['no policy id', document(one, { policies: ['a b'] }), '/policies must be a list of ids'],
    ['a policy twice', document(one, { policies: ['a', 'a'] }), '/policies must be a list of ids'],
    ['21 policies', document(one, { policies: Array(21).fill('a') }), 'a list of at most 20'],
    ['no expression', document(one, { decision: 1 }), '/decision must be a CEL expression'],
    ['a broken one', document(one, { decision: 'input.' }), '/decision line 1, column'],
    ['a wrong name', document(one, { decision: 'after' }), '/decision names "after"'],
    ['a broken expect', document(one, { expect: 'x' }), '/expect names "x"'],
    ['a null expect', document(one, { expect: null }), '/expect must be a CEL expression'],
    ['a percentage', document(one, { threshold: 95 }), '/threshold must be a number from 0 to 1'],
    ['a text threshold', document(one, { threshold: '1' }), '/threshold must be a number'],
    ['a cohort of none', document(one, { protected: ['hopsitals'] }), '/protected/0 is the cohort'],
    ['no scenarios', document([]), '/scenarios must be a list of 1 to 20000'],
    ['a map of them', document(one, { scenarios: {} }), '/scenarios must be a list of 1 to 20000'],
    ['a text', document(one, { scenarios: ['a'] }), '/scenarios/0 must be a mapping'],
    ['a name twice', document([...one, ...one]), '/scenarios/1/name is there twice'],
    ['no name', document([reading('', 1)]), '/scenarios/0/name must not be empty'],
    ['a number', document([reading('a', 1, { name: 7 })]), '/scenarios/0/name must be a text'],
    ['a long name', document([reading('é'.repeat(51), 1)]), 'name is longer than 100 bytes'],
    ['a line break', document([reading('a\nb', 1)]), 'name holds a quote, a backslash or a'],
    ['a bidi mark', document([reading('a\u202eb', 1)]), 'name holds a quote, a backslash or a'],
    ['a space', document([reading(' a', 1)]), 'name begins or ends with a space'],
    ['a long cohort', document([reading('a', 1, { cohort: 'x'.repeat(41) })]), 'cohort is longer'],
    ['no input', document([reading('a', 1, { input: null })]), 'input must be a mapping'],
    ['much input', document([reading('a', 1, { input: { a: 'x'.repeat(8192) } })]), 'than 8 KiB'],
    [
      'a list',
      document([reading('a', 1, { recorded: [] })]),
      '/scenarios/0/recorded is no decision',
    ],
    ['a long decision', document([reading('a', 1, { recorded: 'x'.repeat(65) })]), '64 bytes'],
    ['a null', document([reading('a', 1, { expected: null })]), '/scenarios/0/expected is no'],
    [
      'a typo',
      document([reading('a', 1, { excepted: 'x' })]),
      '/scenarios/0 has the unknown field',
    ],
  ])('refuses %s', async (_what, given, problem) => {
    expect((await findings(given)).join('\n')).toContain(problem);
  });

  it('refuses a missing decision, and one that was not recorded', async () => {
    const { recorded: _, ...unrecorded } = reading('a', 1);
    const { decision: __, ...undecided } = document([unrecorded]);
    expect(await findings(undecided)).toEqual([
      '/scenarios/0/recorded is missing: a text, a number or a boolean',
      '/decision is missing: a CEL expression',
    ]);
  });

  it.each(['Bots', '-bots', 'b/ots', '', 'x'.repeat(65)])('refuses the name %j', async (name) => {
    expect((await findings(document(one), name)).join()).toContain('/suite the suite is named');
  });

  it('refuses other policies in the package of one', async () => {
    const given = document(one, { policies: ['fcc-power'] });
    expect(await findings(given, 'bots', policy)).toEqual([
      `/policies is ["${policy}"] in the package of that policy; leave it out`,
    ]);
  });

  it('tells everything that is wrong at once, up to 20', async () => {
    const scenarios = Array.from({ length: 20_000 }, (_, i) => reading(`s${i}`, 1, { cohort: 7 }));
    const all = await findings(document(scenarios));
    expect(all).toHaveLength(20);
    expect(all[19]).toBe('/scenarios/19/cohort must be a text');
    expect((await findings(document([...scenarios, reading('x', 1)]))).join()).toContain('20000');
  });
});
