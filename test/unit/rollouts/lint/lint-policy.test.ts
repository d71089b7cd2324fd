import { describe, expect, it } from 'vitest';
import { Unprocessable } from '../../../../src/core/errors/app-error.ts';
import type { LintFinding } from '../../../../src/core/rollouts/lint/lint-finding.ts';
import { kindPolicyOf, summarize } from '../../../../src/core/rollouts/lint/lint-policy.ts';
import type { Json } from '../../../../src/core/values/json.ts';
import { lint, places } from './lint.ts';

const rule = `# Fine particles.
id: epa-pm25-limit
version: 2.0.0
limit: 25
units: ug_per_m3
tags: [health, air]
`;

describe('a rule and the schema of its package', () => {
  it('that fit, or no schema: no findings', () => {
    expect(lint(rule)).toEqual([]);
    expect(lint(rule, { schema: { properties: { limit: { type: 'number' } } } })).toEqual([]);
  });

  it('that do not fit: each breach, where it is, with what says so', () => {
    const schema = {
      properties: { limit: { maximum: 20 }, tags: { items: { enum: ['health', 'epa'] } } },
      required: ['source'],
    };
    expect(lint(rule, { schema })).toEqual([
      {
        policy: 'epa-pm25-limit',
        severity: 'error',
        rule: 'schema',
        pointer: '/source',
        line: 2,
        column: 1,
        detail: "must have required property 'source' (schema.json#/required)",
      },
      {
        policy: 'epa-pm25-limit',
        severity: 'error',
        rule: 'schema',
        pointer: '/limit',
        line: 4,
        column: 8,
        detail: 'must be <= 20 (schema.json#/properties/limit/maximum)',
      },
      {
        policy: 'epa-pm25-limit',
        severity: 'error',
        rule: 'schema',
        pointer: '/tags/1',
        line: 6,
        column: 16,
        detail: 'must be "health" or "epa" (schema.json#/properties/tags/items/enum)',
      },
    ]);
  });

  it('that is unsound: one finding, in no line of the policy', () => {
    const findings = lint(rule, { schema: { propertys: {} } });
    expect(places(findings)).toEqual(['schema  -:-']);
    expect(findings[0]?.detail).toBe(
      'schema.json cannot be used: at the top, the keyword "propertys" is not supported; leave it out',
    );
  });

  it('that break it in too many places: the first ones, and that there are more', () => {
    const yaml = `id: a\nversion: 1.0.0\nlist: [${'1,'.repeat(999)}1]`;
    const findings = lint(yaml, {
      schema: { properties: { list: { items: { type: 'string' } } } },
    });
    expect(findings).toHaveLength(200);
    expect(findings.at(-1)?.detail).toMatch(/^more findings are not listed/);
  });

  it('with texts of several lines: findings of one line, cut', () => {
    const schema = { const: `a\nb${'c'.repeat(5000)}`, required: ['x\r\ny\u2028z'] };
    for (const { detail } of lint(rule, { schema })) {
      expect(detail).not.toMatch(/[\r\n\u2028]/);
      expect(detail.length).toBeLessThan(302);
    }
  });
});

describe('a rule and its kind', () => {
  const limit = `kind: limit\n${rule}`;

  it('is checked by the schema of the kind', () => {
    const kindSchema = { properties: { limit: { type: 'string' } } };
    const [finding] = lint(limit, { kindSchema });
    expect(places(lint(limit, { kindSchema }))).toEqual(['kind /limit 5:8']);
    expect(finding?.detail).toBe('must be string (kind.limit#/properties/limit/type)');
    expect(lint(limit, { kindSchema: { required: ['kind'] } })).toEqual([]);
  });

  it('needs that schema', () => {
    const [finding, ...others] = lint(limit);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'kind', pointer: '/kind', line: 1, column: 7 });
    expect(finding?.detail).toMatch(
      /publish the policy kind\.limit with a field schema, or drop kind/,
    );
  });

  it('needs a sound one', () => {
    for (const kindSchema of [null, 'text', [], true, { type: 'nonsense' }]) {
      const findings = lint(limit, { kindSchema });
      expect(places(findings)).toEqual(['kind /kind 1:7']);
      expect(findings[0]?.detail).toMatch(/^the field schema of kind\.limit cannot be used: /);
    }
  });

  it('needs a name that a policy can have', () => {
    const names = ['""', '-a', 'a b', 'a/b', `a${'b'.repeat(100)}`, '"a\\n"'];
    for (const name of names) {
      const findings = lint(`kind: ${name}\n${rule}`, { kindSchema: { type: 'string' } });
      expect(places(findings)).toEqual(['kind /kind 1:7']);
      expect(findings[0]?.detail).toMatch(/rename it, or drop kind$/);
    }
  });

  it('is not asked for by a field that is no text, nor by none', () => {
    for (const kind of ['1', '~', '[a]', '{a: b}'])
      expect(lint(`kind: ${kind}\n${rule}`)).toEqual([]);
    expect(lint(rule, { kindSchema: { type: 'string' } })).toEqual([]);
  });

  it('names the policy to look up', () => {
    expect(kindPolicyOf({ kind: 'limit.v2_a-b' })).toBe('kind.limit.v2_a-b');
    expect(kindPolicyOf({ kind: `a${'b'.repeat(99)}` })).toHaveLength(105);
    const others: Json[] = [{}, { kind: 1 }, { kind: '.a' }, { kind: 'a\n' }, [], null, 'kind'];
    for (const one of others) {
      expect(kindPolicyOf(one)).toBeNull();
    }
  });
});

it('finds by schema, by kind and by version at once, in this order', () => {
  const findings = lint(`kind: a\n${rule}`, {
    schema: false,
    kindSchema: { maxProperties: 1 },
    before: { id: 'epa-pm25-limit', version: '2.1.0' },
    beforeVersion: '2.1.0',
  });
  expect(findings.map(({ rule: name }) => name)).toEqual(['schema', 'kind', 'version-order']);
});

it('refuses what could not have been stored', () => {
  expect(() => lint('a: [')).toThrow(Unprocessable);
  expect(() => lint('a: \u0007')).toThrow(Unprocessable);
});

describe('a summary', () => {
  const finding = (severity: 'error' | 'warning', detail: string): LintFinding => ({
    policy: 'a',
    severity,
    rule: 'schema',
    pointer: '',
    line: 1,
    column: 1,
    detail,
  });

  it('has errors first, each in their order', () => {
    const all = [finding('warning', 'a'), finding('error', 'b'), finding('error', 'c')];
    expect(summarize(all)).toEqual({ errors: 2, warnings: 1, findings: [all[1], all[2], all[0]] });
    expect(summarize([])).toEqual({ errors: 0, warnings: 0, findings: [] });
  });

  it('lists 50, and counts all', () => {
    const warnings = Array.from({ length: 60 }, (_, i) => finding('warning', `${i}`));
    const summary = summarize([...warnings, finding('error', 'last')]);
    expect(summary).toMatchObject({ errors: 1, warnings: 60 });
    expect(summary.findings).toHaveLength(50);
    expect(summary.findings[0]?.detail).toBe('last');
  });
});
