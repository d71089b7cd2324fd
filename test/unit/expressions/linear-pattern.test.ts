import { describe, expect, it } from 'vitest';
import {
  compilePattern,
  forgetReading,
  patternBytes,
} from '../../../src/core/expressions/linear-pattern.ts';

describe('a pattern', () => {
  it.each([
    ['^[A-Z]{2}-\\d{4}$', 'AB-1234', true],
    ['(?i)^straße [a-z]+$', 'STRASSE x', false],
    ['(?i)^straße [a-z]+$', 'Straße XY', true],
    ['^\\pL+$', 'größe', true],
    ['^\\p{Lu}\\p{Ll}+$', 'Ärger', true],
    ['^\\P{N}+$', 'a1', false],
    ['^[^\\p{^L}]+$', 'aé', true],
    ['(?i)[à]', 'À', true],
    ['[à-ÿ]', 'é', true],
    ['(?P<kind>a)', 'a', true],
    ['(?<i>-é)', '-é', true],
  ])('%s on %s: %s', (pattern, text, matches) => {
    expect(compilePattern(pattern).test(text)).toBe(matches);
  });

  it.each([
    ['a{100}', 'counts beyond 99'],
    ['a{1,100}', 'counts beyond 99'],
    ['((a{99}){10})', 'too large'],
    ['(?i)[a-\\x{10ffff}]', 'ignores case in a range beyond ASCII; list its letters'],
    ['(?i)[!-\uFFFF]', 'ignores case in a range beyond ASCII'],
    ['x(?s-m:a)(?mi:[a-\u{1F600}])', 'ignores case in a range beyond ASCII'],
    ['(?s)(?U)(?sI)[a-\\x{10ffff}]', 'ignores case in a range beyond ASCII'],
    ['\\p{Greek}', 'another class \\p than L, Lu, Ll, N, P, S, Z'],
    ['[^\\P{^Han}]', 'another class \\p than'],
    ['\\pC', 'another class \\p than'],
    ['\\p{L', 'another class \\p than'],
    ['\\pL'.repeat(9), 'more than 8 classes \\p'],
    ['[', 'missing closing'],
    ['a\\1', 'invalid escape'],
    ['(?=a)', 'invalid'],
  ])('%s is refused', (pattern, problem) => {
    expect(() => compilePattern(pattern)).toThrow(problem);
  });

  it('forgets what it read, and reads on', () => {
    const pattern = compilePattern('(a|b)*c\\d+$');
    const { dfa } = pattern.re2();
    expect(pattern.test('abc12')).toBe(true);
    expect(dfa.stateCount).toBeGreaterThan(0);
    for (let round = 0; round < 3; round++) {
      forgetReading(pattern);
      expect([dfa.stateCount, dfa.stateCache.size, dfa.startState]).toEqual([0, 0, null]);
      expect(pattern.test('abc12')).toBe(true);
      expect(pattern.test('abcd')).toBe(false);
    }
  });

  it('weighs what its classes and repeats take', () => {
    const bytes = (pattern: string) => patternBytes(compilePattern(pattern));
    expect(bytes('abc')).toBeLessThan(3000);
    expect(bytes('a{99}')).toBeGreaterThan(20_000);
    expect(bytes('\\pL')).toBeGreaterThan(10_000);
  });
});
