import { describe, expect, it } from 'vitest';
import { parseGovernance } from '../../../src/core/governance/parse-governance.ts';
import { pointerTo } from '../../../src/core/packages/yaml-findings.ts';
import type { Json } from '../../../src/core/values/json.ts';

const rule = { name: 'north', deny: 'payload.lat > 90.0' };

/** `pointer detail` of each problem. */
function problemsOf(body: Json): string[] {
  const parsed = parseGovernance(body);
  if ('document' in parsed) return [];
  return parsed.problems.map(({ at, detail }) => `${pointerTo(at)} ${detail}`);
}

const withFields = (fields: { readonly [key: string]: Json }) =>
  problemsOf({ id: 'governance', version: '1.0.0', kind: 'governance', rules: [rule], ...fields });
const withRules = (...rules: readonly Json[]) => withFields({ rules });

describe('a document', () => {
  it('is taken with all its fields', () => {
    const parsed = parseGovernance({
      id: 'governance',
      version: '1.0.0',
      kind: 'governance',
      effective: '2026-01-01T00:00:00Z',
      tags: ['a'],
      description: 'For people.\nOf any length.',
      default: 'deny',
      rules: [
        { name: 'north', deny: 'payload.lat > 90.0', message: 'Beyond the pole. Schön!' },
        { name: 'r-2', allow: 'true' },
      ],
    });
    expect(parsed).toMatchObject({
      document: {
        default: 'deny',
        rules: [
          { name: 'north', effect: 'deny', message: 'Beyond the pole. Schön!' },
          { name: 'r-2', effect: 'allow', message: null },
        ],
      },
    });
  });

  it.each([
    [[], undefined, 'allow'],
    [[rule], undefined, 'allow'],
    [[rule], 'allow', 'allow'],
    [[rule], 'deny', 'deny'],
    [[rule, { name: 'a', allow: 'true' }], undefined, 'deny'],
    [[rule, { name: 'a', allow: 'true' }], 'deny', 'deny'],
  ])('of %j with the default %s: %s', (rules, given, settled) => {
    const body = { kind: 'governance', rules, ...(given !== undefined && { default: given }) };
    expect(parseGovernance(body)).toMatchObject({ document: { default: settled } });
  });

  it.each<[{ readonly [key: string]: Json }, string]>([
    [{ defualt: 'deny' }, '/defualt is no field here; there are id, version, kind, effective'],
    [{ __proto__x: 1, 'a/b': 2 }, '/a~1b is no field here'],
    [{ rules: { north: 'true' } }, '/rules must be a list of at most 50 rules'],
    [{ default: 'maybe' }, '/default must be allow or deny; or leave it out'],
    [{ default: true }, '/default must be allow or deny'],
    [{ default: null }, '/default must be allow or deny'],
    [
      { default: 'allow', rules: [{ name: 'a', allow: 'true' }] },
      '/default must be deny where rules allow',
    ],
    [{ description: 1 }, '/description must be a text; or leave it out'],
    [{ kind: 'limit' }, '/kind must be governance, or the policy have another id'],
    [{ kind: null }, '/kind must be governance'],
  ])('is refused with %j', (fields, problem) => {
    expect(withFields(fields).join('\n')).toContain(problem);
  });

  it('that is none is refused as a whole', () => {
    for (const body of [null, 1, 'governance', [], [{ kind: 'governance' }]]) {
      expect(problemsOf(body)).toEqual([' must be a mapping with kind and rules']);
    }
    expect(problemsOf({ kind: 'governance' })).toEqual([
      '/rules is missing: a list of at most 50 rules',
    ]);
    const other = { kind: 'limit', rules: 'many', limit: 25 };
    expect(problemsOf(other)).toHaveLength(1);
  });
});

describe('a rule', () => {
  it.each<[Json, string]>([
    ['deny', '/rules/0 must be a mapping with name, and deny or allow'],
    [null, '/rules/0 must be a mapping'],
    [{ deny: 'true' }, '/rules/0/name is missing: 1 to 64 lower-case letters, digits and dashes'],
    [{ name: 'North', deny: 'true' }, '/rules/0/name is no name'],
    [{ name: 'north\n', deny: 'true' }, '/rules/0/name is no name'],
    [{ name: '-a', deny: 'true' }, '/rules/0/name is no name'],
    [{ name: 'a'.repeat(65), deny: 'true' }, '/rules/0/name is no name'],
    [{ name: 7, deny: 'true' }, '/rules/0/name is no name'],
    [{ name: 'a' }, '/rules/0 needs one of deny and allow: a CEL expression'],
    [{ name: 'a', deny: 'true', allow: 'true' }, '/rules/0 needs one of deny and allow'],
    [{ name: 'a', deny: true }, '/rules/0/deny must be a CEL expression; quote it'],
    [{ name: 'a', allow: null }, '/rules/0/allow must be a CEL expression; quote it'],
    [{ name: 'a', deny: 'payload.lat >' }, '/rules/0/deny line 1, column 13: found >'],
    [{ name: 'a', deny: '' }, '/rules/0/deny line 1, column 1: found end of input'],
    [
      { name: 'a', deny: 'input.lat > 1' },
      '/rules/0/deny names "input", which is none of actor, action, payload, now',
    ],
    [
      { name: 'a', deny: 'open("/etc/passwd")' },
      '/rules/0/deny calls "open", which is no function',
    ],
    [{ name: 'a', deny: `"${'x'.repeat(2048)}" == ""` }, '/rules/0/deny is longer than 2048 bytes'],
    [{ name: 'a', deny: 'true', when: 'x' }, '/rules/0/when is no field here; there are name'],
    [{ name: 'a', deny: 'true', message: '' }, '/rules/0/message must be a text of one line'],
    [{ name: 'a', deny: 'true', message: ' ' }, '/rules/0/message must be a text of one line'],
    [{ name: 'a', deny: 'true', message: 1 }, '/rules/0/message must be a text of one line'],
    [{ name: 'a', deny: 'true', message: 'a\nb' }, '/rules/0/message holds a line break'],
    [{ name: 'a', deny: 'true', message: 'a\u2028b' }, '/rules/0/message holds a line break'],
    [{ name: 'a', deny: 'true', message: '\u202Eevil' }, 'or a control character; write one line'],
    [
      { name: 'a', deny: 'true', message: 'é'.repeat(101) },
      '/rules/0/message is longer than 200 bytes',
    ],
  ])('%j is refused', (one, problem) => {
    const found = withRules(one);
    expect(found.join('\n')).toContain(problem);
    expect(found).toHaveLength(1);
  });

  it('at the limits is taken', () => {
    const one = { name: 'a'.repeat(64), deny: 'true', message: 'é'.repeat(100) };
    expect(withRules(one, { name: 'a', deny: 'false' }, { name: '0', allow: 'true' })).toEqual([]);
  });

  it('has a name of its own', () => {
    expect(withRules(rule, { name: 'b', deny: 'true' }, { ...rule, deny: 'false' })).toEqual([
      '/rules/2/name is there twice; name each rule once',
    ]);
  });
});

describe('the limits', () => {
  const many = (count: number, deny: string) =>
    Array.from({ length: count }, (_, i) => ({ name: `r${i}`, deny }));

  it('50 rules', () => {
    expect(withRules(...many(50, 'true'))).toEqual([]);
    expect(withRules(...many(51, 'true'))).toEqual(['/rules must be a list of at most 50 rules']);
  });

  it('16 KiB of expressions', () => {
    const kib = `"${'x'.repeat(1024 - 8)}" == ""`;
    expect(withRules(...many(16, kib))).toEqual([]);
    expect(withRules(...many(17, kib))).toEqual([
      '/rules/16/deny ends beyond the 16 KiB that all expressions have together; shorten them',
    ]);
  });

  it('1 MiB of patterns', () => {
    const large = '"".matches("(?:a{30}){15}")';
    expect(withRules(...many(8, large))).toEqual([]);
    const classes = `"".matches("${String.raw`\\pL`.repeat(8)}")`;
    for (const text of [large, classes]) {
      const [problem] = withRules(...many(50, text));
      expect(problem).toMatch(/\/deny makes the patterns of all rules together too large/);
    }
  });

  it('20 problems: nobody reads on', () => {
    expect(withRules(...many(50, 'x'))).toHaveLength(20);
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x${i}`, i]));
    expect(withFields(fields)).toHaveLength(20);
  });

  it('keep the worst documents short', () => {
    const hostile = [
      `${'[1].exists(x,[1].all(y,y==x))||'.repeat(30)}true`,
      `${'('.repeat(31)}1${')'.repeat(31)} == 1`.concat(`+${'('.repeat(31)}1${')'.repeat(31)}`),
      `"".matches("(?i)${String.raw`[a-\\x{10ffff}]`.repeat(100)}")`,
      `"".matches("${String.raw`\\p{Greek}\\p{Han}\\p{Thai}\\p{Yi}`.repeat(2)}")`,
      `"".matches("${'((a?){99}){9}'.repeat(20)}")`,
    ];
    for (const text of hostile) {
      const begunMs = performance.now();
      withRules(...many(50, text));
      expect(performance.now() - begunMs).toBeLessThan(2000);
    }
  });
});
