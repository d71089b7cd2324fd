import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../../../src/core/errors/app-error.ts';
import { decodeCursor, encodeCursor } from '../../../src/http/cursor.ts';

describe('cursors', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (position) => {
        const cursor = encodeCursor(position) ?? '';
        expect(cursor).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(decodeCursor(cursor, /(?:)/)).toBe(position);
      }),
    );
    expect(encodeCursor(null)).toBeNull();
    expect(decodeCursor(undefined, /x/)).toBeUndefined();
  });

  it('are refused when they are not of the list, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string(), (cursor) => {
        try {
          expect(decodeCursor(cursor, /^\d{1,12}$/)).toMatch(/^\d{1,12}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequest);
        }
      }),
    );
  });
});
