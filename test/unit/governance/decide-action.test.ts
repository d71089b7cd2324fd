import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { celTimeOf } from '../../../src/core/expressions/cel-time.ts';
import { celValueOf } from '../../../src/core/expressions/cel-value.ts';
import { type Denial, decideAction } from '../../../src/core/governance/decide-action.ts';
import { parseGovernance } from '../../../src/core/governance/parse-governance.ts';
import type { Json } from '../../../src/core/values/json.ts';

interface RuleText {
  readonly name: string;
  readonly deny?: string;
  readonly allow?: string;
  readonly message?: string;
}

function documentOf(rules: readonly RuleText[], fallback?: 'allow' | 'deny') {
  const body = { kind: 'governance', rules, ...(fallback && { default: fallback }) };
  const parsed = parseGovernance(body as unknown as Json);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
}

/** With the payload `{a: 1, list: […]}`. */
function decide(
  rules: readonly RuleText[],
  fallback?: 'allow' | 'deny',
  list: readonly number[] = [],
): Denial | null {
  const asked = [{ policy: 'governance', document: documentOf(rules, fallback) }];
  return decideAction(asked, {
    actor: celValueOf({ id: 'portal', subject: 'ravi', tenant: 'demo', region: '' }),
    action: 'a',
    payload: celValueOf({ a: 1, list }),
    now: celTimeOf(0),
  });
}

const yes = 'payload.a == 1';
const no = 'payload.a == 2';
const failing = 'payload.b == 1';

describe('a deny rule', () => {
  it('that is true denies, with its message, or else its name', () => {
    const message = 'Not today.';
    expect(decide([{ name: 'today', deny: yes, message }])).toEqual({
      rule: 'governance/today',
      reason: message,
    });
    expect(decide([{ name: 'today', deny: yes }])?.reason).toBe(
      'The rule today of governance denies it.',
    );
    expect(decide([{ name: 'today', deny: no, message }])).toBeNull();
  });

  it('wins over every allow, wherever it stands', () => {
    const deny = { name: 'today', deny: yes };
    const allow = { name: 'anyone', allow: 'true' };
    expect(decide([allow, deny])?.rule).toBe('governance/today');
    expect(decide([deny, allow])?.rule).toBe('governance/today');
  });

  it('that comes first is the one named', () => {
    const rules = ['a', 'b', 'c'].map((name) => ({ name, deny: name === 'a' ? no : yes }));
    expect(decide(rules)?.rule).toBe('governance/b');
  });
});

describe('an allow rule', () => {
  it('that is true is enough, when no deny rule is', () => {
    const rules = [
      { name: 'never', deny: no },
      { name: 'odd', allow: no },
      { name: 'even', allow: yes },
    ];
    expect(decide(rules)).toBeNull();
    expect(decide(rules.slice(0, 2))?.rule).toBe('governance/odd');
  });

  it('alone: it is named, and its message shown', () => {
    expect(decide([{ name: 'odd', allow: no, message: 'Only odd ones.' }])).toEqual({
      rule: 'governance/odd',
      reason: 'Only odd ones.',
    });
    expect(decide([{ name: 'odd', allow: no }])?.reason).toBe('No rule of governance allows it.');
  });

  it('among others: the policy is named, and all that they say', () => {
    const rules = [
      { name: 'a', allow: no, message: 'Only odd ones.' },
      { name: 'b', allow: no },
      { name: 'c', allow: no, message: 'Only on Mondays.' },
      { name: 'd', allow: no, message: 'Only odd ones.' },
    ];
    const reason = 'Only odd ones. Only on Mondays.';
    expect(decide(rules)).toEqual({ rule: 'governance', reason });
  });
});

describe('the default', () => {
  it('decides when no rule speaks', () => {
    const rules = [{ name: 'never', deny: no }];
    expect(decide([])).toBeNull();
    expect(decide(rules)).toBeNull();
    expect(decide(rules, 'allow')).toBeNull();
    const denial = {
      rule: 'governance',
      reason: 'No rule of governance allows it, and its default is to deny.',
    };
    expect(decide([], 'deny')).toEqual(denial);
    expect(decide(rules, 'deny')).toEqual(denial);
  });

  it('is to deny where rules allow', () => {
    const rules = [{ name: 'odd', allow: no }];
    expect(decide(rules)).toEqual(decide(rules, 'deny'));
    expect(decide([{ name: 'odd', allow: yes }], 'deny')).toBeNull();
  });
});

describe('a rule that fails', () => {
  it.each([
    [failing, 'field not found: b'],
    ['payload.a', 'answers neither true nor false'],
    ['"true"', 'answers neither true nor false'],
    ['[1, 2][payload.list.size()] / 0 == 1', 'int divide by zero'],
    [
      'payload.a * 2 == 2.0',
      "found no matching overload for '_*_' applied to '(double, int)': numbers of JSON are doubles, so write 2.0 for 2",
    ],
  ])('denies, and is named: %s', (text, error) => {
    const denial = {
      rule: 'governance/broken',
      reason: `The rule broken of governance cannot be asked, so it denies: ${error}.`,
    };
    expect(decide([{ name: 'broken', deny: text, message: 'No.' }])).toEqual(denial);
    expect(decide([{ name: 'broken', allow: text, message: 'No.' }])).toEqual(denial);
  });

  it('denies wherever it stands, also when another allows', () => {
    const rules = [
      { name: 'broken', allow: failing },
      { name: 'anyone', allow: 'true' },
      { name: 'never', deny: no },
    ];
    expect(decide(rules)?.rule).toBe('governance/broken');
    expect(decide(rules.toReversed())?.rule).toBe('governance/broken');
  });

  it('does not where CEL need not look', () => {
    expect(decide([{ name: 'careful', deny: `has(payload.b) && ${failing}` }])).toBeNull();
    expect(decide([{ name: 'careful', allow: `${yes} || ${failing}` }])).toBeNull();
  });
});

describe('the work of a vet', () => {
  const list = Array.from({ length: 5000 }, (_, i) => i);
  const search = 'payload.list.exists(x, x < 0.0)';

  it('is shared by its rules: what overdraws it denies', () => {
    const rules = Array.from({ length: 50 }, (_, i) => ({ name: `r${i}`, deny: search }));
    expect(decide(rules.slice(0, 3), undefined, list)).toBeNull();
    const denial = decide(rules, undefined, list);
    expect(denial?.reason).toMatch(/cannot be asked, so it denies: is more work than 200000 steps/);
    expect(denial?.rule).toMatch(/^governance\/r\d+$/);
  });

  it('is shared by both policies', () => {
    const document = documentOf(
      Array.from({ length: 2 }, (_, i) => ({ name: `r${i}`, deny: search })),
    );
    const variables = {
      actor: celValueOf({}),
      action: 'a',
      payload: celValueOf({ list }),
      now: celTimeOf(0),
    };
    expect(decideAction([{ policy: 'one', document }], variables)).toBeNull();
    const asked = ['one', 'two'].map((policy) => ({ policy, document }));
    expect(decideAction(asked, variables)?.rule).toMatch(/^two\//);
  });

  it('ends soon, whatever the rules are', () => {
    const hostile = [
      'payload.list.all(x, payload.list.all(y, true))',
      'payload.list.exists(x, timestamp("2024-01-01T00:00:00Z").getHours("Asia/Tokyo") == 99)',
      '"a".matches("(a?){40}a{40}$")',
      'payload.list.map(x, [x]).map(x, [x]) == []',
    ];
    const rules = Array.from({ length: 48 }, (_, i) => ({
      name: `r${i}`,
      deny: hostile[i % hostile.length]!,
    }));
    const begunMs = performance.now();
    expect(decide(rules, undefined, list)?.reason).toContain('cannot be asked');
    expect(performance.now() - begunMs).toBeLessThan(1000);
  });
});

it('decides by what is true and what fails, not by the order of the rules', () => {
  const outcome = fc.constantFrom<'true' | 'false' | 'fails'>('true', 'false', 'fails');
  const texts = { true: yes, false: no, fails: failing };
  const rule = fc.record({ effect: fc.constantFrom('deny', 'allow'), outcome });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), fc.boolean(), (rules, denies) => {
      const named = rules.map((one, i) => ({
        name: `r${i}`,
        [one.effect]: texts[one.outcome],
      }));
      const is = (effect: string, what: string) =>
        rules.some((one) => one.effect === effect && one.outcome === what);
      const hasAllow = rules.some(({ effect }) => effect === 'allow');
      const fails = is('deny', 'fails') || is('allow', 'fails');
      const allowed = !is('deny', 'true') && !fails && (hasAllow ? is('allow', 'true') : !denies);
      const fallback = denies ? 'deny' : undefined;
      expect(decide(named, fallback) === null).toBe(allowed);
      expect(decide(named.toReversed(), fallback) === null).toBe(allowed);
    }),
    { numRuns: 200 },
  );
});
