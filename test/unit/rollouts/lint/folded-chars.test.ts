import { RE2JS } from '@bufbuild/re2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lintLimits } from '../../../../src/core/rollouts/lint/lint-limits.ts';
import { checkSchema } from '../../../../src/core/rollouts/lint/schema/check-schema.ts';
import { foldedChars } from '../../../../src/core/rollouts/lint/schema/folded-chars.ts';

const { maxFoldedChars, maxPatterns, maxPatternChars } = lintLimits;

afterEach(() => vi.restoreAllMocks());

/** How often the engine asks for the other case of a character: up to twice for each that it folds. */
function countFolds(work: () => void): number {
  const asked = vi.spyOn(String, 'fromCodePoint');
  work();
  const { length } = asked.mock.calls;
  asked.mockRestore();
  return length;
}

describe('the characters that a pattern folds', () => {
  it.each([
    ['[a-\\x{10ffff}]', 0],
    ['(?i)abc', 0],
    ['(?i)[a-z]', 0x7a - 0x40],
    ['(?i)[0-9]', 0],
    ['(?i)[a-\\xff]', 0xff - 0x40],
    ['(?i)[a-\\x{ff}]', 0xff - 0x40],
    ['(?i)[!-\\377]', 0xff - 0x40],
    ['(?i)[а-я]', 0x44f - 0x40],
    ['(?i)[--\uffff]', 0xffff - 0x40],
    ['(?sI:[a-\u{1f600}])', 0x1e943 - 0x40],
    ['(?i)\\w\\W[[:alpha:]]', 3 * (0x7f - 0x40)],
  ])('%s: %d at the most', (pattern, count) => {
    expect(foldedChars(pattern)).toBe(count);
  });

  it.each([
    '(?i)[!-\uffff]',
    '(?i)[--\uffff]',
    '(?i)[\\x{0}-\\x{1e942}]',
    '(?i)[а-яё]',
    '(?i)[A-Za-z0-9_-]{3}',
    '(?i)[!-\\377]',
    '(?i)\\w+\\W*',
    '(?i)[[:word:][:^ascii:]]',
    `(?i)[${'a-z'.repeat(100)}]`,
    `(?m-s)(?i:${'[!-~]'.repeat(100)})`,
  ])('%s: the engine folds no more', (pattern) => {
    const folds = countFolds(() => RE2JS.compile(pattern));
    expect(folds).toBeLessThanOrEqual(2 * (foldedChars(pattern) + pattern.length));
  });

  it('are those of the engine, where nothing is guessed', () => {
    const folds = countFolds(() => RE2JS.compile('(?i)[A-\uffff]'));
    expect(folds).toBeGreaterThan(0.95 * foldedChars('(?i)[A-\uffff]'));
  });

  it('are refused before the engine sees them, and bounded over a schema', () => {
    const wide = { pattern: `(?i)${'[!-\uffff]'.repeat(190)}` };
    const refused = countFolds(() => expect(checkSchema(wide, 'x')).toHaveProperty('refused'));
    expect(refused).toBe(0);
    const body = '[!-\\377]'.repeat(Math.floor((maxPatternChars - 10) / 8));
    const many = Array.from({ length: maxPatterns }, (_, i) => ({ pattern: `(?i)${i}${body}` }));
    const folds = countFolds(() => checkSchema({ anyOf: many }, 'x'));
    expect(folds).toBeLessThan(3 * maxFoldedChars);
  });
});
