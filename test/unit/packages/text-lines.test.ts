import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextLines } from '../../../src/core/packages/text-lines.ts';

it('counts lines and UTF-16 columns from 1, as splitting the text does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r\n', 'é', '😀', '\t') });
  fc.assert(
    fc.property(text, fc.nat(100), (whole, wanted) => {
      const offset = Math.min(wanted, whole.length);
      const lines = whole.slice(0, offset).split('\n');
      const expected = { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
      expect(new TextLines(whole).at(offset)).toEqual(expected);
    }),
  );
});

it('takes an offset before the text for its start', () => {
  expect(new TextLines('a\nb').at(-1)).toEqual({ line: 1, column: 1 });
});
