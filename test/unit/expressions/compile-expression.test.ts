import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { celValueOf } from '../../../src/core/expressions/cel-value.ts';
import { compileExpression } from '../../../src/core/expressions/compile-expression.ts';
import { StepBudget } from '../../../src/core/expressions/step-budget.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { randomFrom } from '../journal/notes.ts';

/** The value, or the error, or why it does not compile. */
function evaluate(text: string, variables: Readonly<Record<string, Json>> = {}): unknown {
  const compiled = compileExpression(text, ['policy', 'input']);
  if ('problem' in compiled) return `refused: ${compiled.problem}`;
  const values = Object.entries(variables).map(([name, json]) => [name, celValueOf(json)]);
  const evaluated = compiled.expression.evaluate(Object.fromEntries(values));
  return 'error' in evaluated ? `error: ${evaluated.error}` : evaluated.value;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const tooMuch = 'error: is more work than 100000 steps';

describe('numbers of rules and inputs', () => {
  it.each([
    ['input.a > policy.limit', { input: { a: 30.5 }, policy: { limit: 25 } }, true],
    ['input.a > 25', { input: { a: 30.5 } }, true],
    ['input.a >= 25 && input.a <= 25.0', { input: { a: 25 } }, true],
    ['input.a == 25 && input.a == 25.0', { input: { a: 25 } }, true],
    ['input.a in [25, 26]', { input: { a: 25 } }, true],
    ['policy.steps[input.a]', { input: { a: 1 }, policy: { steps: ['x', 'y'] } }, 'y'],
    ['input.a * 2.0', { input: { a: 25 } }, 50],
    ['int(input.a) % 2', { input: { a: 25 } }, 1n],
    ['string(input.a)', { input: { a: 25 } }, '25'],
  ])('are doubles, whatever their value: %s', (text, variables, value) => {
    expect(evaluate(text, variables)).toBe(value);
  });

  it('do not mix with int in arithmetic, and the error says what to write', () => {
    expect(evaluate('input.a * 2', { input: { a: 25 } })).toBe(
      "error: found no matching overload for '_*_' applied to '(double, int)': numbers of JSON are doubles, so write 2.0 for 2",
    );
  });
});

describe('an expression', () => {
  it.each([
    ['input.b', 'field not found: b'],
    ['input.list[7]', 'index 7 out of bounds [0, -1)'],
    ['1 / 0', 'int divide by zero'],
  ])('answers what went wrong: %s', (text, problem) => {
    expect(evaluate(text, { input: { list: [] } })).toBe(`error: ${problem}`);
  });

  it.each([
    ['', 'found end of input'],
    ['input.pm25 >', 'line 1, column 12: found >'],
    ['inptu.pm25 > 1', 'names "inptu", which is none of policy, input'],
    ['constructor', 'names "constructor"'],
    ['__proto__.x', 'names "__proto__"'],
    ['metered_range([1], -1000) == [1]', 'calls "metered_range", which is no function'],
    ['input.exist(x, true)', 'calls "exist", which is no function or macro of CEL'],
    ['google.protobuf.Any{}', 'makes a "google.protobuf.Any"'],
    ['input.a.matches(input.b)', 'matches() needs its pattern written out'],
    ['input.a.matches("[")', 'missing closing'],
    ['input.a.matches("a{100}")', 'counts beyond 99'],
    ['input.a.matches("((a{99}){10})")', 'too large'],
    [String.raw`input.a.matches(r"\p{Greek}")`, 'another class \\p than'],
    ['[1].all(a, [1].all(b, [1].all(c, true)))', 'more than 2 macros within each other'],
    [`${'('.repeat(33)}1${')'.repeat(33)}`, 'more than 32 brackets within each other'],
    [`${'(")"+'.repeat(300)}"x"${')'.repeat(300)}`, 'nested deeper than 100 levels'],
    [`1${'+1'.repeat(200)}`, 'nested deeper than 100 levels'],
    [`[${'1,'.repeat(1000)}1]`, 'more than 1000 parts'],
    [`"${'é'.repeat(1024)}"`, 'longer than 2048 bytes'],
    [
      numbers(9)
        .map((n) => `"".matches("a${n}")`)
        .join('||'),
      'more than 8 patterns',
    ],
  ])('is refused before it runs: %s', (text, problem) => {
    expect(evaluate(text)).toMatch(/^refused: /);
    expect(evaluate(text)).toContain(problem);
  });

  it('finds a variable of a macro, and only within it', () => {
    expect(evaluate('[1, 2].exists(x, x == 2)')).toBe(true);
    expect(evaluate('[1, 2].map(x, [3].map(y, x + y)) == [[4], [5]]')).toBe(true);
    expect(evaluate('[1].exists(x, true) && x')).toContain('names "x"');
  });

  it('takes names that mean something to JavaScript for plain keys', () => {
    const input = JSON.parse('{"constructor":{"name":"Object"},"__proto__":{"a":1}}') as Json;
    expect(evaluate('input.constructor.name', { input })).toBe('Object');
    expect(evaluate('input["__proto__"].a', { input })).toBe(1);
    expect(evaluate('has(input.toString)', { input })).toBe(false);
  });

  it('never throws, whatever it is', () => {
    const parts = ['input', '.a', '(', ')', '[', ']', '{', '}', '"', '1', '+', '?', ':', '&&', '!'];
    const words = fc.array(fc.constantFrom(...parts, '.all(x,', '.map(x,', 'x', ',', ' in '), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          words.map((all) => all.join('')),
          fc.string(),
        ),
        (text) => {
          expect(() => evaluate(text, { input: { a: [1, 'x'] }, policy: {} })).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the work of an evaluation ends', () => {
  const input = {
    long: numbers(20_000),
    list: numbers(1000),
    texts: numbers(5000).map((n) => `${'x'.repeat(100)}${n}`),
    text: 'a'.repeat(8000),
  };

  it.each([
    'input.list.all(x, input.list.all(y, true))',
    'input.long.all(x, true)',
    Array(30).fill('input.list.all(x, x >= 0.0)').join(' && '),
    Array(30).fill('"q" in input.texts').join(' || '),
    Array(30).fill('input.texts == input.texts + []').join(' && '),
    'input.list.map(x, input.list) == input.list.map(x, input.list)',
    'input.list.all(x, size(input.text) > 0)',
    'input.text.matches("(a?){40}a{40}$")',
    'input.list.exists(x, timestamp("2024-01-01T00:00:00Z").getHours("America/New_York") == 99)',
  ])('by the number of steps: %s', (text) => {
    const found = evaluate(text, { input });
    expect([tooMuch, 'error: makes a list of more than 1000 items']).toContain(found);
  });

  it('also where an error is swallowed', () => {
    expect(evaluate('input.list.all(x, input.list.all(y, true)) || true', { input })).toBe(tooMuch);
    expect(evaluate('true || input.list.all(x, input.list.all(y, true))', { input })).toBe(true);
  });

  it('for each evaluation anew', () => {
    const compiled = compileExpression('input.all(x, x >= 0.0)', ['input']);
    if ('problem' in compiled) throw new Error(compiled.problem);
    const list = celValueOf(numbers(5000));
    for (let round = 0; round < 20; round++) {
      expect(compiled.expression.evaluate({ input: list })).toEqual({ value: true });
    }
  });

  it('by a budget that several share', () => {
    const compiled = compileExpression('input.all(x, x >= 0.0)', ['input']);
    if ('problem' in compiled) throw new Error(compiled.problem);
    const list = celValueOf(numbers(1000));
    const budget = new StepBudget(30_000);
    expect(compiled.expression.evaluate({ input: list }, budget)).toEqual({ value: true });
    const cost = budget.maxSteps - budget.left;
    expect(cost).toBeGreaterThan(1000);
    for (let left = budget.left; left >= cost; left -= cost) {
      expect(compiled.expression.evaluate({ input: list }, budget)).toEqual({ value: true });
    }
    const overdrawn = { error: 'is more work than 30000 steps' };
    expect(compiled.expression.evaluate({ input: list }, budget)).toEqual(overdrawn);
    expect(compiled.expression.evaluate({ input: celValueOf([]) }, budget)).toEqual(overdrawn);
    expect(compiled.expression.evaluate({ input: list })).toEqual({ value: true });
  });

  it('and leaves nothing behind of what its patterns read', () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const heapBytes = () => {
      gc();
      return process.memoryUsage().heapUsed;
    };
    const compiled = compileExpression('input.matches("[ab]*a[ab]{12}$")', ['input']);
    if ('problem' in compiled) throw new Error(compiled.problem);
    const before = heapBytes();
    // Each 13 letters are another state, of 2 KB.
    const random = randomFrom(1);
    const text = numbers(3000)
      .map(() => 'ab'[random(2)])
      .join('');
    expect(compiled.expression.evaluate({ input: text })).toHaveProperty('value');
    expect(heapBytes() - before).toBeLessThan(2_000_000);
  });

  it('by the size of what it makes', () => {
    const eight = Array(8).fill('a').join('+');
    const doubled = `[input.text]${`.map(a, ${eight})`.repeat(6)}.map(a, size(a))`;
    expect(evaluate(doubled, { input })).toBe('error: makes a text of more than 65536 characters');
    expect(evaluate('(input.list + [1.0]).size()', { input })).toBe(
      'error: makes a list of more than 1000 items',
    );
    expect(evaluate('input.list.map(x, x + 1.0).filter(x, x > 1.0).size()', { input })).toBe(999n);
  });
});
