import { describe, expect, it } from 'vitest';
import { parseRule } from '../../../src/core/packages/parse-rule.ts';
import { isPolicyId } from '../../../src/core/policies/policy-id.ts';
import { refusalOf } from './refusal-of.ts';

const parse = (yaml: string) => parseRule(Buffer.from(yaml));

/** A rule with one field set otherwise; `undefined` leaves it out. */
function ruleWith(fields: Record<string, string | undefined>): string {
  const all = { id: 'a', version: '1.0.0', ...fields };
  return Object.entries(all)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}\n`]))
    .join('');
}

describe('parseRule', () => {
  it('reads the rule of the mission', () => {
    const yaml = `id: epa-pm25-limit
version: 2.0.0          # SemVer; a breaking change raises the major
effective: 2024-09-01T00:00:00Z
limit: 25               # any fields the rule needs
units: ug_per_m3
tags: [health, air, epa]
`;
    expect(parse(yaml)).toStrictEqual({
      id: 'epa-pm25-limit',
      version: '2.0.0',
      effectiveAt: '2024-09-01T00:00:00.000Z',
      tags: ['health', 'air', 'epa'],
      body: '{"id":"epa-pm25-limit","version":"2.0.0","effective":"2024-09-01T00:00:00Z","limit":25,"units":"ug_per_m3","tags":["health","air","epa"]}',
    });
  });

  it('needs no more than id and version', () => {
    const body = '{"version":"1.0.0","id":"a"}';
    expect(parse('version: 1.0.0\nid: a')).toStrictEqual({
      id: 'a',
      version: '1.0.0',
      effectiveAt: null,
      tags: [],
      body,
    });
  });

  it('keeps the order of integer-like keys in the body', () => {
    expect(parse(ruleWith({ brackets: '{10: a, 9: b}' })).body).toContain('{"10":"a","9":"b"}');
  });

  it('writes the effective time in UTC', () => {
    const effective = '2024-09-01T02:00:00.5+02:00';
    expect(parse(ruleWith({ effective })).effectiveAt).toBe('2024-09-01T00:00:00.500Z');
  });

  it('takes a byte order mark', () => {
    expect(parseRule(Buffer.from('\ufeffid: a\nversion: 1.0.0')).id).toBe('a');
  });

  it('takes 64 tags', () => {
    const tags = JSON.stringify(Array.from({ length: 64 }, (_, index) => `t${index}`));
    expect(parse(ruleWith({ tags })).tags).toHaveLength(64);
  });

  const versions = ['0.0.0', '1.2.3-rc.1', '1.2.3+build.05', '1.0.0-alpha-b.0+x-y', '10.20.30'];
  it.each(versions)('takes version %s', (version) => {
    expect(parse(ruleWith({ version })).version).toBe(version);
  });

  const refused: Record<
    string,
    [fields: Record<string, string | undefined>, pointer: string, detail: RegExp]
  > = {
    'no id': [{ id: undefined }, '/id', /is missing/],
    'a number as id': [{ id: '7' }, '/id', /quote it/],
    'an empty id': [{ id: '""' }, '/id', /1 to 128/],
    'an id with a slash': [{ id: 'a/b' }, '/id', /1 to 128/],
    'no version': [{ version: undefined }, '/version', /is missing/],
    'a number as version': [{ version: '2.0' }, '/version', /quote it/],
    'an integer as version': [{ version: '2' }, '/version', /quote it/],
    'a version of two parts': [{ version: '"2.0"' }, '/version', /SemVer/],
    'a leading v': [{ version: 'v1.0.0' }, '/version', /SemVer/],
    'a leading =': [{ version: '"=1.0.0"' }, '/version', /SemVer/],
    'a leading space': [{ version: '" 1.0.0"' }, '/version', /SemVer/],
    'a leading zero': [{ version: '01.0.0' }, '/version', /SemVer/],
    'a leading zero before release': [{ version: '1.0.0-01' }, '/version', /SemVer/],
    'a version list': [{ version: '[1]' }, '/version', /must be a text/],
    'a version beyond safe integers': [{ version: '99999999999999999.0.0' }, '/version', /SemVer/],
    'a very long version': [{ version: `1.0.0-${'a'.repeat(300)}` }, '/version', /SemVer/],
    'an effective date alone': [{ effective: '2024-09-01' }, '/effective', /RFC 3339/],
    'an effective time without zone': [
      { effective: '2024-09-01T00:00:00' },
      '/effective',
      /RFC 3339/,
    ],
    'a day that is none': [{ effective: '2024-02-30T00:00:00Z' }, '/effective', /RFC 3339/],
    'a time before 1970': [{ effective: '1969-12-31T23:59:59Z' }, '/effective', /1970/],
    'a time before 1970 in UTC': [{ effective: '1970-01-01T00:00:00+01:00' }, '/effective', /1970/],
    'a time after 9999 in UTC': [{ effective: '9999-12-31T23:59:59-01:00' }, '/effective', /9999/],
    'an effective number': [{ effective: '2024' }, '/effective', /RFC 3339/],
    'an effective null': [{ effective: '' }, '/effective', /leave it out/],
    'tags that are a text': [{ tags: 'x' }, '/tags', /list/],
    'tags that are null': [{ tags: '' }, '/tags', /leave it out/],
    'a tag that is a number': [{ tags: '[a, 1]' }, '/tags/1', /quote it/],
    '65 tags': [{ tags: `[${'a,'.repeat(65)}]` }, '/tags', /at most 64/],
  };
  it.each(Object.entries(refused))('refuses %s', async (_name, [fields, pointer, detail]) => {
    const refusal = await refusalOf(() => parse(ruleWith(fields)));
    expect(refusal.code).toBe('invalid_policy');
    expect(refusal.details).toEqual([{ pointer, detail: expect.stringMatching(detail) }]);
    expect(refusal.message).toContain(pointer);
  });

  it('reports all findings about fields at once', async () => {
    const refusal = await refusalOf(() => parse('id: 1\nversion: 2\neffective: x\ntags: [1, 2]'));
    const pointers = refusal.details.map(({ pointer }) => pointer);
    expect(pointers).toEqual(['/id', '/version', '/effective', '/tags/0', '/tags/1']);
  });

  it.each(['[]', 'x', '~', '1'])('refuses the document %s', async (yaml) => {
    const { details } = await refusalOf(() => parse(yaml));
    expect(details).toEqual([{ pointer: '', detail: expect.stringContaining('mapping') }]);
  });

  it.each([
    ['not UTF-8', Buffer.from([0x69, 0x64, 0x3a, 0xff]), /UTF-8/],
    ['overlong UTF-8', Buffer.from([0xc0, 0x80]), /UTF-8/],
    ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80]), /UTF-8/],
    ['UTF-16', Buffer.from('\ufeffid: a', 'utf16le'), /UTF-8/],
    ['more than 256 KiB', Buffer.alloc(256 * 1024 + 1, 0x20), /256 KiB/],
  ])('refuses %s', async (_name, bytes, detail) => {
    const refusal = await refusalOf(() => parseRule(bytes));
    expect(refusal.code).toBe('invalid_policy');
    expect(refusal.details[0]?.detail).toMatch(detail);
  });
});

describe('isPolicyId', () => {
  it.each(['a', 'A1', 'epa-pm25-limit', 'a.b_c-d', 'a'.repeat(128)])('takes %s', (id) => {
    expect(isPolicyId(id)).toBe(true);
  });
  it.each(['', '-a', 'a-', '.', 'a b', 'a/b', 'é', 'a\n', 'a'.repeat(129)])('refuses %j', (id) => {
    expect(isPolicyId(id)).toBe(false);
  });
});
