import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../src/core/values/strict-json.ts';

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('parseStrictJson', () => {
  it('takes what JSON.parse takes', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.constantFrom(0, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(parseStrictJson(text, 100)).toStrictEqual({ value: JSON.parse(text) });
        },
      ),
    );
  });

  it('throws at nothing', () => {
    const parts = ['{', '}', '[', ']', ',', ':', '"a"', '"', '\\', '1', 'null', ' ', '"\\u0061"'];
    const soup = fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((all) => all.join(''));
    fc.assert(
      fc.property(soup, (text) => {
        expect(parseStrictJson(text, 10)).toBeTypeOf('object');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a name twice', '{"a":1,"a":2}', /repeats the name "a"/],
    ['a name twice, spelled otherwise', '{"a":1,"\\u0061":2}', /repeats the name/],
    ['a name twice, deeper', '[{"b":[],"c":{},"b":1}]', /repeats the name "b"/],
    ['4 levels', '[[[{}]]]', /deeper than 3 levels/],
    ['half a million levels', deep(500_000), /deeper than 3 levels/],
    ['an open half million', '['.repeat(500_000), /is not JSON/],
    ['a comment', '{} // x', /is not JSON/],
    ['a trailing comma', '[1,]', /is not JSON/],
    ['NaN', 'NaN', /is not JSON/],
    ['nothing', '', /is not JSON/],
  ])('refuses %s', (_name, text, problem) => {
    expect(parseStrictJson(text, 3)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('takes one name in two objects, and a name as a value', () => {
    const text = '[{"a":"a","b":{"a":1}},{"a":"\\"a"},"a",["a","a"]]';
    expect(parseStrictJson(text, 3)).toStrictEqual({ value: JSON.parse(text) });
  });
});
