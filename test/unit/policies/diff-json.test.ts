import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffJson, type JsonChange } from '../../../src/core/policies/diff-json.ts';
import type { Json } from '../../../src/core/values/json.ts';

/** What `changes` make of `before`. Removals name places of `before`, so they go last, from the end. */
function apply(before: Json, changes: readonly JsonChange[]): Json {
  const box = { value: structuredClone(before) };
  const removals = changes.filter(({ op }) => op === 'remove');
  for (const change of changes.filter(({ op }) => op !== 'remove')) set(box, change);
  for (const change of removals.toReversed()) set(box, change);
  return box.value;
}

function set(box: { value: Json }, { op, pointer, before, after }: JsonChange): void {
  let holder: Record<string, Json> = box;
  let key = 'value';
  for (const token of pointer.split('/').slice(1)) {
    holder = holder[key] as unknown as Record<string, Json>;
    key = token.replaceAll('~1', '/').replaceAll('~0', '~');
  }
  expect(Object.hasOwn(holder, key)).toBe(op !== 'add');
  if (op !== 'add') expect(holder[key]).toEqual(before);
  if (op !== 'remove') {
    // As JSON.parse does it: `__proto__` is a key like any other.
    Object.defineProperty(holder, key, {
      value: after,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else if (Array.isArray(holder)) {
    expect(Number(key)).toBe(holder.length - 1);
    holder.pop();
  } else {
    delete holder[key];
  }
}

const keys = fc.constantFrom('a', 'b', 'a/b', '~', '~1', '', '0', '1', '__proto__', 'length', 'é');
/** Few values and keys, so that two of them have something in common. */
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json[]>(null, true, false, 0, 1, -1.5, '', 'x', '0'),
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(fc.tuple(keys, tie('json')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));
const parsed = json.map((value): Json => JSON.parse(JSON.stringify(value)) as Json);

function alike(a: Json, b: Json): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** Without the order of keys. */
function sorted(value: Json): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { object: entries.map(([key, inner]) => [key, sorted(inner)]) };
}

describe('diffJson', () => {
  it('says what turns one value into the other', () => {
    fc.assert(
      fc.property(parsed, parsed, (before, after) => {
        const became = apply(before, diffJson(before, after));
        expect(sorted(became)).toEqual(sorted(after));
      }),
      { numRuns: 1000 },
    );
  });

  it('says nothing exactly when they are alike, in whatever order their keys are', () => {
    fc.assert(
      fc.property(parsed, parsed, (before, after) => {
        expect(diffJson(before, after).length === 0).toBe(alike(before, after));
        expect(diffJson(before, structuredClone(before))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('says it the other way round for the way back', () => {
    fc.assert(
      fc.property(parsed, parsed, (before, after) => {
        const there = diffJson(before, after);
        const back = diffJson(after, before);
        const mirrored = there.map(({ op, pointer }) => {
          const other = { add: 'remove', remove: 'add', replace: 'replace' } as const;
          return `${other[op]} ${pointer}`;
        });
        expect(back.map(({ op, pointer }) => `${op} ${pointer}`).toSorted()).toEqual(
          mirrored.toSorted(),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('names the smallest part, in the order of the first value, additions last', () => {
    const before = { id: 'p', limit: 35, tags: ['air', 'epa'], area: { from: 1, to: 2 } };
    const after = { new: true, area: { to: 3, from: 1 }, limit: 25, tags: ['air'], id: 'p' };
    expect(diffJson(before, after)).toEqual([
      { op: 'replace', pointer: '/limit', before: 35, after: 25 },
      { op: 'remove', pointer: '/tags/1', before: 'epa' },
      { op: 'replace', pointer: '/area/to', before: 2, after: 3 },
      { op: 'add', pointer: '/new', after: true },
    ]);
  });

  it('compares lists by position', () => {
    expect(diffJson(['a', 'b'], ['b'])).toEqual([
      { op: 'replace', pointer: '/0', before: 'a', after: 'b' },
      { op: 'remove', pointer: '/1', before: 'b' },
    ]);
    expect(diffJson([], [1, [2]])).toEqual([
      { op: 'add', pointer: '/0', after: 1 },
      { op: 'add', pointer: '/1', after: [2] },
    ]);
  });

  it.each<[Json, Json]>([
    [null, {}],
    [{}, []],
    [[], null],
    ['1', 1],
    [0, false],
    [null, 0],
    [{ a: 1 }, 'a'],
  ])('replaces the whole where kinds differ: %j by %j', (before, after) => {
    expect(diffJson(before, after)).toEqual([{ op: 'replace', pointer: '', before, after }]);
  });

  it('escapes keys as RFC 6901 says', () => {
    expect(diffJson({ 'a/b~c': 1 }, {})).toEqual([
      { op: 'remove', pointer: '/a~1b~0c', before: 1 },
    ]);
    expect(diffJson({}, { '': { '~1': 1 } })).toEqual([
      { op: 'add', pointer: '/', after: { '~1': 1 } },
    ]);
  });
});
