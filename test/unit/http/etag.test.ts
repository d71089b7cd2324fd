import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../../../src/core/errors/app-error.ts';
import { ifNoneMatchNames, parseIfMatch } from '../../../src/http/etag.ts';

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const snapshot = hex.map((digest) => `v2024-06-10-1830-${digest}`);
const space = fc.constantFrom('', ' ', '  ', '\t');
const spaced = (text: fc.Arbitrary<string>) =>
  fc.tuple(space, text, space).map((parts) => parts.join(''));
const quoted = (tag: string) => `"${tag}"`;
const forms = [quoted, (tag: string) => `W/"${tag}"`, (tag: string) => tag];
/** A tag in any form, with white space around it. */
const written = (tag: string) => spaced(fc.constantFrom(...forms).map((form) => form(tag)));
const others = fc.array(snapshot.chain(written), { maxLength: 5 });

describe('If-None-Match', () => {
  it('names a tag in every form, alone and anywhere in a list', () => {
    const named = snapshot.chain((tag) => fc.tuple(fc.constant(tag), others, written(tag), others));
    fc.assert(
      fc.property(named, ([tag, before, form, after]) => {
        expect(ifNoneMatchNames([...before, form, ...after].join(','), tag)).toBe(true);
      }),
    );
  });

  it('does not name a tag that is not there', () => {
    fc.assert(
      fc.property(snapshot, others, (tag, list) => {
        fc.pre(!list.some((each) => each.includes(tag)));
        expect(ifNoneMatchNames(list.join(','), tag)).toBe(false);
      }),
    );
  });

  it('names everything by an asterisk, alone', () => {
    fc.assert(
      fc.property(snapshot, spaced(fc.constant('*')), (tag, header) => {
        expect(ifNoneMatchNames(header, tag)).toBe(true);
      }),
    );
    expect(ifNoneMatchNames('"*"', 'v1')).toBe(false);
  });

  it('never throws, and takes no longer for a longer header than it must', () => {
    fc.assert(
      fc.property(fc.string(), snapshot, (header, tag) => void ifNoneMatchNames(header, tag)),
    );
    const startedMs = performance.now();
    ifNoneMatchNames(','.repeat(1_000_000), 'v1');
    ifNoneMatchNames('"'.repeat(1_000_000), 'v1');
    ifNoneMatchNames(`W/${' '.repeat(1_000_000)}`, 'v1');
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});

describe('If-Match', () => {
  it('accepts strong and bare tags, and no weak one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(snapshot, fc.nat(2)), { minLength: 1 }), (tags) => {
        const header = tags.map(([tag, form]) => forms[form]?.(tag)).join(', ');
        const strong = tags.filter(([, form]) => form !== 1).map(([tag]) => tag);
        expect(parseIfMatch(header)).toEqual(strong.slice(0, 100));
      }),
    );
  });

  it('tells no guard, any rule, and a guard that names none apart', () => {
    expect(parseIfMatch(undefined)).toBeNull();
    expect(parseIfMatch(' * ')).toBe('any');
    expect(parseIfMatch('W/"v1"')).toEqual([]);
    for (const header of ['', ' ', ',', ' , ,']) {
      expect(() => parseIfMatch(header), header).toThrow(InvalidRequest);
    }
  });
});
