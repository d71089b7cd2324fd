import { expect, it } from 'vitest';
import type { RecordSuite } from './record-suite.ts';

const awkwardValues: readonly (readonly [name: string, value: unknown])[] = [
  ['null', null],
  ['false', false],
  ['an empty text', ''],
  ['an empty list', []],
  ['an empty object', {}],
  ['the greatest number', Number.MAX_VALUE],
  ['the least number', Number.MIN_VALUE],
  ['a number with 17 digits', 0.1 + 0.2],
  ['the greatest safe integer', Number.MAX_SAFE_INTEGER],
  ['text beyond the BMP', 'a😀\u{10FFFF}é'],
  ['control characters', '\u0000\u0001\n\r\t\u007F\u2028\uFEFF'],
  ['half a surrogate pair', '\uD83D'],
  ['quotes and backslashes', `'"\\\`%_*?`],
  ['an empty name', { '': 1 }],
  ['names of Object.prototype', JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
  ['names that look like markup', { $ref: 1, 'a.b': 2, '#n': 3, ':v': 4, S: { N: '5' } }],
  ['depth', [[[[[[{ a: [[[{ b: [{}] }]]] }]]]]]]],
];

export function describeRecordReads(suite: RecordSuite): void {
  it('answers undefined where there is no record', async () => {
    expect(await suite.records.get(suite.key('none'))).toBeUndefined();
    expect(await suite.records.get(suite.key('none'), { consistency: 'eventual' })).toBeUndefined();
  });

  it('answers the key, the value and the rev', async () => {
    await suite.commit(suite.put('a', { limit: 25 }));
    expect(await suite.records.get(suite.key('a'))).toMatchObject({
      key: suite.key('a'),
      value: { limit: 25 },
      rev: 1,
    });
  });

  it('sees each acknowledged commit at once', async () => {
    for (let rev = 1; rev <= 10; rev++) {
      await suite.commit(suite.put('a', rev, rev === 1 ? 'absent' : rev - 1));
      expect(await suite.read('a')).toEqual({ value: rev, rev });
      expect(await suite.records.getMany([suite.key('a')])).toMatchObject([{ value: rev, rev }]);
      expect(await suite.records.query({ partition: suite.partition, limit: 9 })).toMatchObject([
        { value: rev, rev },
      ]);
    }
  });

  it('answers an eventual read with a state that was true', async () => {
    await suite.commit(suite.put('a', 1));
    await suite.commit(suite.put('a', 2, 1));
    const found = await suite.records.get(suite.key('a'), { consistency: 'eventual' });
    expect([undefined, 1, 2]).toContain(found?.rev);
    if (found !== undefined) expect(found.value).toBe(found.rev);
  });

  it.each(awkwardValues)('keeps %s as it is', async (_, value) => {
    await suite.commit(suite.put('a', value));
    const json = JSON.stringify(value);
    const found = await Promise.all([
      suite.records.get(suite.key('a')),
      suite.records.getMany([suite.key('a')]).then(([record]) => record),
      suite.records.query({ partition: suite.partition, limit: 1 }).then(([record]) => record),
    ]);
    expect(found.map((record) => JSON.stringify(record?.value))).toEqual([json, json, json]);
  });

  it('answers many keys in the order asked, over partitions, with gaps', async () => {
    const other = `${suite.partition}/other`;
    const elsewhere = suite.key('b', other);
    await suite.commit(suite.put('a', 'here'), suite.put('c', 'here too'), {
      kind: 'put',
      key: elsewhere,
      value: 'there',
      expect: 'absent',
    });
    const keys = [suite.key('c'), suite.key('none'), elsewhere, suite.key('b'), suite.key('a')];
    const found = await suite.records.getMany(keys);
    const values = found.map((record) => record?.value);
    expect(values).toEqual(['here too', undefined, 'there', undefined, 'here']);
    expect(found[2]?.key).toEqual(elsewhere);
  });

  it('answers no key with nothing', async () => {
    expect(await suite.records.getMany([])).toEqual([]);
  });

  it('answers 100 keys', async () => {
    const sorts = Array.from({ length: 100 }, (_, i) => `s${i}`);
    await suite.store(...sorts);
    const found = await suite.records.getMany(sorts.map((sort) => suite.key(sort)));
    expect(found.map((record) => record?.value)).toEqual(sorts);
  });

  it('answers many keys of more bytes than one round trip carries', async () => {
    const sorts = Array.from({ length: 60 }, (_, i) => `s${i}`);
    const big = 'x'.repeat(300_000);
    for (let i = 0; i < sorts.length; i += 10) {
      await suite.commit(...sorts.slice(i, i + 10).map((sort) => suite.put(sort, sort + big)));
    }
    const found = await suite.records.getMany(sorts.map((sort) => suite.key(sort)));
    expect(found.map((record) => record?.value === `${record?.key.sort}${big}`)).toEqual(
      sorts.map(() => true),
    );
  });

  it('keeps keys apart that differ in the border between their parts, in case or in form', async () => {
    const keys = [
      suite.key('c', `${suite.partition}/a/b`),
      suite.key('b/c', `${suite.partition}/a`),
      suite.key('#c', `${suite.partition}/a`),
      suite.key('c', `${suite.partition}/a#`),
      suite.key('C', `${suite.partition}/a/b`),
      suite.key('é'),
      suite.key('e\u0301'),
      suite.key(' a'),
      suite.key('a'),
      suite.key('a '),
    ];
    await suite.commit(
      ...keys.map((key, i) => ({ kind: 'put', key, value: i, expect: 'absent' }) as const),
    );
    const found = await suite.records.getMany(keys);
    expect(found.map((record) => record?.value)).toEqual(keys.map((_, i) => i));
  });

  it('takes keys of 1024 bytes in both parts', async () => {
    const long = (part: string): string => part + 'é'.repeat((1024 - part.length) / 2);
    const key = { partition: long(suite.partition.padEnd(64)), sort: long('ab') };
    await suite.commit({ kind: 'put', key, value: 1, expect: 'absent' });
    expect(await suite.records.get(key)).toMatchObject({ key, value: 1 });
    expect(
      await suite.records.query({ partition: key.partition, prefix: key.sort, limit: 2 }),
    ).toMatchObject([{ key }]);
  });
}
