import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RecordWrite } from '../../src/ports/record-store.ts';
import type { RecordSuite } from './record-suite.ts';

export function describeRecordCommits(suite: RecordSuite): void {
  const check = (sort: string, rev: 'absent' | number): RecordWrite => ({
    kind: 'check',
    key: suite.key(sort),
    expect: rev,
  });
  const remove = (sort: string, rev: number): RecordWrite => ({
    kind: 'delete',
    key: suite.key(sort),
    expect: rev,
  });

  it('counts revs from 1, by one with each put', async () => {
    for (const rev of [1, 2, 3]) {
      expect(await suite.commit(suite.put('a', `v${rev}`, rev === 1 ? 'absent' : rev - 1))).toBe(
        'committed',
      );
      expect(await suite.read('a')).toEqual({ value: `v${rev}`, rev });
    }
  });

  it('replaces the whole value', async () => {
    await suite.commit(suite.put('a', { one: 1, two: 2 }));
    await suite.commit(suite.put('a', { two: 3 }, 1));
    expect(await suite.read('a')).toEqual({ value: { two: 3 }, rev: 2 });
  });

  it('begins again at 1 after a delete', async () => {
    await suite.commit(suite.put('a'));
    await suite.commit(suite.put('a', 2, 1));
    expect(await suite.commit(remove('a', 2))).toBe('committed');
    expect(await suite.read('a')).toBeUndefined();
    expect(await suite.sorts()).toEqual([]);
    expect(await suite.commit(suite.put('a', 'new'))).toBe('committed');
    expect(await suite.read('a')).toEqual({ value: 'new', rev: 1 });
  });

  it('puts only where its expectation holds', async () => {
    expect(await suite.commit(suite.put('a', 'x', 1))).toBe('conflict');
    expect(await suite.read('a')).toBeUndefined();
    await suite.commit(suite.put('a', 'first'));
    expect(await suite.commit(suite.put('a', 'x'))).toBe('conflict');
    expect(await suite.commit(suite.put('a', 'x', 2))).toBe('conflict');
    await suite.commit(suite.put('a', 'second', 1));
    expect(await suite.commit(suite.put('a', 'x', 1))).toBe('conflict');
    expect(await suite.read('a')).toEqual({ value: 'second', rev: 2 });
  });

  it('deletes only where its expectation holds', async () => {
    expect(await suite.commit(remove('a', 1))).toBe('conflict');
    await suite.commit(suite.put('a'));
    expect(await suite.commit(remove('a', 2))).toBe('conflict');
    expect(await suite.read('a')).toEqual({ value: 'a', rev: 1 });
    expect(await suite.commit(remove('a', 1))).toBe('committed');
    expect(await suite.commit(remove('a', 1))).toBe('conflict');
  });

  it('checks without writing', async () => {
    await suite.commit(suite.put('a'));
    expect(await suite.commit(check('a', 1), check('none', 'absent'))).toBe('committed');
    expect(await suite.commit(check('a', 2))).toBe('conflict');
    expect(await suite.commit(check('a', 'absent'))).toBe('conflict');
    expect(await suite.commit(check('none', 1))).toBe('conflict');
    expect(await suite.read('a')).toEqual({ value: 'a', rev: 1 });
    expect(await suite.read('none')).toBeUndefined();
  });

  it('makes a write depend on a check', async () => {
    await suite.commit(suite.put('a'));
    expect(await suite.commit(suite.put('b'), check('a', 2))).toBe('conflict');
    expect(await suite.commit(check('none', 1), suite.put('b'))).toBe('conflict');
    expect(await suite.sorts()).toEqual(['a']);
    expect(await suite.commit(check('a', 1), suite.put('b'))).toBe('committed');
    expect(await suite.sorts()).toEqual(['a', 'b']);
  });

  it('writes all of 100, of each kind and in several partitions', async () => {
    const sorts = Array.from({ length: 99 }, (_, i) => `s${100 + i}`);
    await suite.store(...sorts);
    const writes = sorts.map((sort, i) => {
      return [suite.put(sort, 'new', 1), remove(sort, 1), check(sort, 1)][i % 3]!;
    });
    const elsewhere = suite.key('x', `${suite.partition}/other`);
    writes.push({ kind: 'put', key: elsewhere, value: 1, expect: 'absent' });
    expect(await suite.commit(...writes)).toBe('committed');
    const found = await suite.records.query({ partition: suite.partition, limit: 1000 });
    expect(found.map(({ key, value, rev }) => [key.sort, value, rev])).toEqual(
      sorts.flatMap((sort, i) => [[[sort, 'new', 2]], [], [[sort, sort, 1]]][i % 3]!),
    );
    expect(await suite.records.get(elsewhere)).toMatchObject({ value: 1 });
  });

  it.each([0, 50, 99])('writes none of 100 when number %i is in conflict', async (position) => {
    await suite.store('taken', 'kept');
    const writes = Array.from({ length: 98 }, (_, i) => suite.put(`s${i}`));
    writes.splice(10, 0, suite.put('kept', 'changed', 1));
    writes.splice(position, 0, suite.put('taken', 'changed'));
    expect(await suite.commit(...writes)).toBe('conflict');
    expect(await suite.sorts()).toEqual(['kept', 'taken']);
    expect(await suite.read('kept')).toEqual({ value: 'kept', rev: 1 });
    expect(await suite.read('taken')).toEqual({ value: 'taken', rev: 1 });
  });

  it.each<[string, () => RecordWrite[]]>([
    ['a new record', () => [suite.put('new'), suite.put('b', 2, 1)]],
    ['a change', () => [suite.put('a', 2, 1)]],
    ['a delete', () => [remove('a', 1)]],
  ])('does %s once for one token', async (_, writes) => {
    await suite.store('a', 'b');
    const token = randomUUID();
    expect(await suite.records.commit(writes(), token)).toBe('committed');
    const after = await suite.records.query({ partition: suite.partition, limit: 9 });
    for (let i = 0; i < 3; i++) {
      expect(await suite.records.commit(writes(), token)).toBeOneOf(['committed', 'conflict']);
    }
    const later = await suite.records.query({ partition: suite.partition, limit: 9 });
    expect(later).toEqual(after);
  });

  it('does not do a commit again when what it wrote is gone since', async () => {
    const token = randomUUID();
    await suite.records.commit([suite.put('a')], token);
    await suite.commit(remove('a', 1));
    expect(await suite.records.commit([suite.put('a')], token)).toBeOneOf([
      'committed',
      'conflict',
    ]);
    expect(await suite.read('a')).toBeUndefined();
  });

  it('lets a commit that lost be sent again with its token', async () => {
    const token = randomUUID();
    expect(await suite.records.commit([suite.put('a', 'x', 1)], token)).toBe('conflict');
    await suite.store('a');
    expect(await suite.records.commit([suite.put('a', 'x', 1)], token)).toBe('committed');
    expect(await suite.read('a')).toEqual({ value: 'x', rev: 2 });
  });

  it('takes any id as a token', async () => {
    expect(await suite.records.commit([suite.put('a')], randomUUID().slice(0, 20))).toBe(
      'committed',
    );
    const long = `${randomUUID()}-abc`;
    expect(await suite.records.commit([suite.put('b')], long)).toBe('committed');
    await suite.records.commit([suite.put('b', 'again', 1)], long);
    expect(await suite.read('b')).toEqual({ value: 'b', rev: 1 });
  });
}
