import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../src/core/values/json.ts';
import { lint, places } from './lint.ts';

type Fields = { readonly [key: string]: Json };
type Versioned = Fields & { readonly version: string };

function against(before: Versioned, after: Versioned) {
  return lint(JSON.stringify(after), { before, beforeVersion: before.version });
}

const base = { id: 'a', limit: 25, nested: { list: [1], text: 'x', none: null } };
const versioned = (version: string, fields: Fields = base) => ({ ...fields, version });
const rules = (before: Versioned, after: Versioned) =>
  against(before, after).map(({ rule, pointer }) => `${rule} ${pointer}`);

describe('the order of versions', () => {
  it.each([
    ['1.0.0', '1.0.0', []],
    ['1.0.0', '1.0.1', []],
    ['1.0.0-rc.1', '1.0.0', []],
    ['1.0.0+a', '1.0.0+b', []],
    ['1.0.1', '1.0.0', ['version-order /version']],
    ['1.0.0', '1.0.0-rc.1', ['version-order /version']],
    ['10.0.0', '9.0.0', ['version-order /version']],
  ])('with the same content: %s, then %s', (before, after, expected) => {
    expect(rules(versioned(before), versioned(after))).toEqual(expected);
  });

  it.each(['1.0.0', '1.0.0+build'])('with other content needs more than %s', (version) => {
    const findings = against(versioned('1.0.0'), versioned(version, { ...base, limit: 26 }));
    expect(findings).toMatchObject([{ rule: 'version-order', severity: 'error' }]);
    expect(findings[0]?.detail).toBe('1.0.0 is in force with other content; raise the version');
  });

  it('does not mind the order of keys', () => {
    const after = { nested: { none: null, text: 'x', list: [1] }, limit: 25, id: 'a' };
    expect(rules(versioned('1.0.0'), versioned('1.0.0', after))).toEqual([]);
  });

  it('says to roll back, and only that', () => {
    const findings = against(versioned('2.0.0'), versioned('1.0.0', { id: 'a' }));
    expect(findings.map(({ detail }) => detail)).toEqual([
      '1.0.0 is lower than 2.0.0, which is in force; roll back instead',
    ]);
  });

  it('is not asked for where no rule is in force', () => {
    expect(lint(JSON.stringify(versioned('0.0.1')))).toEqual([]);
  });
});

describe('a breaking change', () => {
  const { limit: _limit, ...rest } = base;
  const cases: Record<string, [after: Fields, pointers: string[]]> = {
    'a field that is gone': [rest, ['/limit']],
    'a number that becomes a text': [{ ...base, limit: '25' }, ['/limit']],
    'an object that becomes a list': [{ ...base, nested: [] }, ['/nested']],
    'a list that becomes an object': [
      { ...base, nested: { ...base.nested, list: {} } },
      ['/nested/list'],
    ],
    'a null that becomes a number': [
      { ...base, nested: { ...base.nested, none: 1 } },
      ['/nested/none'],
    ],
    'several, deep': [
      { id: 'a', limit: true, nested: { list: [] } },
      ['/limit', '/nested/text', '/nested/none'],
    ],
    'the items of a list: none': [{ ...base, nested: { ...base.nested, list: ['x', {}] } }, []],
    'another value: none': [{ ...base, limit: 26.5 }, []],
  };
  it.each(Object.entries(cases))('%s', (_name, [after, pointers]) => {
    const major = pointers.map((pointer) => `version-major ${pointer}`);
    expect(rules(versioned('1.2.3'), versioned('1.9.0', after))).toEqual(major);
    expect(rules(versioned('1.2.3'), versioned('2.0.0', after))).toEqual([]);
    expect(rules(versioned('0.2.3'), versioned('0.2.4', after))).toEqual(major);
    expect(rules(versioned('0.2.3'), versioned('0.3.0', after))).toEqual([]);
    expect(rules(versioned('0.2.3'), versioned('1.0.0', after))).toEqual([]);
  });

  it.each([
    ['2.0.0-rc.1', '2.0.0-rc.2', true],
    ['2.0.0-rc.1', '2.0.0', true],
    ['2.1.0-rc.1', '2.1.0', false],
    ['0.2.0-rc.1', '0.2.0', true],
    ['0.2.1-rc.1', '0.2.1', false],
    ['1.9.9', '2.0.0-rc.1', true],
  ])('may come while its version is not out yet: %s, then %s', (before, after, may) => {
    const expected = may ? [] : ['version-major /limit'];
    expect(rules(versioned(before), versioned(after, rest))).toEqual(expected);
  });

  it('says what to do', () => {
    const details = (from: string, to: string, after: Fields) =>
      against(versioned(from), versioned(to, after)).map(({ detail }) => detail);
    expect(details('1.2.3', '1.3.0', rest)).toEqual([
      'is in 1.2.3 and gone here; keep it, or make it version 2.0.0 or higher',
    ]);
    expect(details('0.2.3', '0.2.4', { ...base, limit: [] })).toEqual([
      'is number in 0.2.3 and array here; keep the type, or make it version 0.3.0 or higher',
    ]);
  });

  it('counts for the fields that the service reads too, but not for the version', () => {
    const before = { ...versioned('1.0.0'), kind: 'k', effective: '2024-01-01T00:00:00Z' };
    const findings = rules(before, { ...versioned('1.1.0'), version: '1.1.0' });
    expect(findings).toEqual(['version-major /kind', 'version-major /effective']);
    const inner = { ...base, nested: { version: '1' } };
    const retyped = { ...base, nested: { version: 1 } };
    expect(rules(versioned('1.0.0', inner), versioned('1.1.0', retyped))).toEqual([
      'version-major /nested/version',
    ]);
  });

  it('stands where the field was, or at the mapping around it', () => {
    const yaml = `id: a\nversion: 1.0.1\nnested:\n  # no more\n  text: &t 5\nlimit: *t\n`;
    const before = versioned('1.0.0', { ...base, limit: 'x' });
    expect(places(lint(yaml, { before, beforeVersion: '1.0.0' }))).toEqual([
      'version-major /limit 6:8',
      'version-major /nested/list 5:3',
      'version-major /nested/text 5:12',
      'version-major /nested/none 5:3',
    ]);
  });
});

describe('a new field', () => {
  it.each([
    ['1.2.3', '1.2.4', true],
    ['1.2.3', '1.3.0', false],
    ['1.2.3', '2.0.0', false],
    ['0.2.3', '0.2.4', true],
    ['1.3.0-rc.1', '1.3.0', false],
    ['1.2.4-rc.1', '1.2.4', true],
  ])('in a patch is a warning: %s, then %s', (before, after, warned) => {
    const more = { ...base, nested: { ...base.nested, more: { deep: 1 } } };
    const findings = against(versioned(before), versioned(after, more));
    const expected = { severity: 'warning', rule: 'version-minor', pointer: '/nested/more' };
    expect(findings).toMatchObject(warned ? [expected] : []);
  });
});

describe('any rule', () => {
  const key = fc.oneof(
    fc.constantFrom('a', 'b', 'toString', 'valueOf', '~', '/', 'a/b~c', '', '1', 'é😀', 'version'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), key),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    ),
  }));
  const fields = fc.dictionary(key, value, { maxKeys: 6 }).map(({ version: _, ...rest }) => rest);

  it('fits the next patch of itself', () => {
    fc.assert(
      fc.property(fields, (rule) => {
        expect(against(versioned('1.2.3', rule), versioned('1.2.4', rule))).toEqual([]);
      }),
    );
  });

  it('without any one of its fields needs a major, for that field alone', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.constantFrom('1.2.3', '0.2.3'), (rule, pick, version) => {
        const pointers = pointersOf(rule);
        fc.pre(pointers.length > 0);
        const path = pointers[pick % pointers.length] ?? [];
        const pointer = path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        const after = versioned(version.replace('3', '4'), without(rule, path));
        expect(rules(versioned(version, rule), after)).toEqual([
          `version-major ${pointer.join('')}`,
        ]);
        // And back: a new field, likewise.
        expect(rules({ ...after, version }, versioned(after.version, rule))).toEqual([
          `version-minor ${pointer.join('')}`,
        ]);
      }),
    );
  });
});

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pointersOf(fields: Fields, around: string[] = []): string[][] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const path = around.concat(key);
    return isFields(inner) ? [path].concat(pointersOf(inner, path)) : [path];
  });
}

function without(fields: Fields, [first, ...rest]: readonly string[]): Fields {
  const kept = Object.entries(fields).filter(([key]) => key !== first || rest.length > 0);
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      key === first && isFields(inner) ? without(inner, rest) : inner,
    ]),
  );
}
