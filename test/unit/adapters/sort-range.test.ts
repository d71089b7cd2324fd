import { assert, constantFrom, option, property, record, string, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sortRange } from '../../../src/adapters/aws/sort-range.ts';
import type { RecordQuery } from '../../../src/ports/record-store.ts';

/** Few characters, so that keys meet; at the edges of UTF-8's lengths, of UTF-16 and of Unicode. */
const edges = ['!', '/', '~', '\u07FF', '\u0800', '\uD7FF', '\uE000', '\uFFFF', '😀', '\u{10FFFF}'];
const sort = string({ unit: constantFrom(...edges), minLength: 1, maxLength: 3 });

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What the port says, word for word. */
function wanted(query: RecordQuery, key: string): boolean {
  const beyond = query.order === 'desc' ? -1 : 1;
  const isAfter = query.after === undefined || compare(key, query.after) * beyond > 0;
  const isWithin = query.until === undefined || compare(key, query.until) * beyond <= 0;
  return isAfter && isWithin && key.startsWith(query.prefix ?? '');
}

/** What DynamoDB answers for the range, and we keep of it. */
function answered(query: RecordQuery, keys: readonly string[]): string[] {
  const range = sortRange(query);
  if (range === undefined) return [];
  const { low, high, startAfter } = range;
  const inRange = (key: string): boolean =>
    (low === undefined || compare(low, key) <= 0) &&
    (high === undefined || compare(key, high) <= 0);
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
  if (low !== undefined && high !== undefined) expect(compare(low, high)).toBeLessThanOrEqual(0);
  if (startAfter !== undefined) expect(inRange(startAfter)).toBe(true);
  const beyond = query.order === 'desc' ? -1 : 1;
  return keys
    .filter((key) => inRange(key))
    .filter((key) => startAfter === undefined || compare(key, startAfter) * beyond > 0)
    .filter((key) => key.startsWith(query.prefix ?? ''));
}

describe('sortRange', () => {
  it('selects what the query says, of any keys', () => {
    const query = record(
      {
        partition: constantFrom('p'),
        limit: constantFrom(1),
        prefix: sort,
        after: sort,
        until: sort,
        order: constantFrom<'asc' | 'desc'>('asc', 'desc'),
      },
      { requiredKeys: ['partition', 'limit'] },
    );
    assert(
      property(query, uniqueArray(sort, { maxLength: 30 }), (asked, keys) => {
        expect(answered(asked, keys)).toEqual(keys.filter((key) => wanted(asked, key)));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads at most one key beyond a prefix', () => {
    assert(
      property(sort, option(sort), (prefix, until) => {
        const query = { partition: 'p', limit: 1, prefix, ...(until === null ? {} : { until }) };
        const range = sortRange({ ...query, order: 'desc' });
        if (range?.high === undefined) return;
        expect(range.high.startsWith(prefix)).toBe(false);
        // Nothing fits between the last that begins with it and `high`.
        expect(compare(`${prefix}\u{10FFFF}\u{10FFFF}`, range.high)).toBeLessThan(0);
        expect(Array.from(range.high).length).toBeLessThanOrEqual(Array.from(prefix).length);
      }),
    );
  });

  it('asks for no key that DynamoDB refuses as too long', () => {
    const prefix = `${'x'.repeat(1022)}\u07FF`;
    const range = sortRange({ partition: 'p', limit: 1, prefix });
    expect(range?.high).toBe(`${'x'.repeat(1021)}y`);
  });
});
