import { expect, it } from 'vitest';
import type { RecordQuery } from '../../src/ports/record-store.ts';
import type { RecordSuite } from './record-suite.ts';

/** In the order of their UTF-8 bytes, which for the last two is not the order of their UTF-16 units. */
const ordered = ['!', '10', '2', 'A', 'B', 'a', 'a/b', 'aa', 'b', 'é', 'ー', '\uFF5E', '😀'];

export function describeRecordQueries(suite: RecordSuite): void {
  const query = async (rest: Partial<RecordQuery>): Promise<string[]> => {
    const found = await suite.records.query({ partition: suite.partition, limit: 1000, ...rest });
    return found.map(({ key }) => key.sort);
  };

  it('answers nothing for a partition without records', async () => {
    expect(await query({})).toEqual([]);
    expect(await query({ order: 'desc', prefix: 'a' })).toEqual([]);
  });

  it('answers records as get does', async () => {
    await suite.commit(suite.put('a', { one: [1] }), suite.put('b', null));
    await suite.commit(suite.put('b', 'new', 1));
    expect(await suite.records.query({ partition: suite.partition, limit: 9 })).toEqual([
      await suite.records.get(suite.key('a')),
      await suite.records.get(suite.key('b')),
    ]);
  });

  it('orders by UTF-8 bytes, both ways', async () => {
    await suite.store(...ordered.toReversed());
    expect(await query({})).toEqual(ordered);
    expect(await query({ order: 'asc' })).toEqual(ordered);
    expect(await query({ order: 'desc' })).toEqual(ordered.toReversed());
  });

  it('stays within the partition', async () => {
    await suite.store('a');
    for (const partition of [`${suite.partition}/`, suite.partition.slice(0, -1)]) {
      const key = suite.key('b', partition);
      await suite.commit({ kind: 'put', key, value: 1, expect: 'absent' });
    }
    expect(await query({})).toEqual(['a']);
  });

  it('takes a limit, from the beginning of the order', async () => {
    await suite.store(...ordered);
    expect(await query({ limit: 1 })).toEqual(['!']);
    expect(await query({ limit: 3 })).toEqual(['!', '10', '2']);
    expect(await query({ limit: 2, order: 'desc' })).toEqual(['😀', '\uFF5E']);
    expect(await query({ limit: ordered.length })).toEqual(ordered);
  });

  it('continues after a cursor, which need not exist', async () => {
    await suite.store('a', 'b', 'd', '\uFF5E', '😀');
    expect(await query({ after: 'b' })).toEqual(['d', '\uFF5E', '😀']);
    expect(await query({ after: 'c' })).toEqual(['d', '\uFF5E', '😀']);
    expect(await query({ after: '\uFF5E' })).toEqual(['😀']);
    expect(await query({ after: '😀' })).toEqual([]);
    expect(await query({ after: '!' })).toHaveLength(5);
    expect(await query({ after: 'd', order: 'desc' })).toEqual(['b', 'a']);
    expect(await query({ after: 'c', order: 'desc' })).toEqual(['b', 'a']);
    expect(await query({ after: '😀', order: 'desc' })).toEqual(['\uFF5E', 'd', 'b', 'a']);
    expect(await query({ after: 'a', order: 'desc' })).toEqual([]);
    expect(await query({ after: '\u{10FFFF}', order: 'desc' })).toHaveLength(5);
  });

  it('tells a cursor from what begins with it', async () => {
    await suite.store('a', 'a!', 'a ', 'a0');
    expect(await query({ after: 'a' })).toEqual(['a ', 'a!', 'a0']);
    expect(await query({ until: 'a' })).toEqual(['a']);
    expect(await query({ after: 'a!', order: 'desc' })).toEqual(['a ', 'a']);
    expect(await query({ until: 'a!', order: 'desc' })).toEqual(['a0', 'a!']);
  });

  it('ends with until, inclusive, which need not exist', async () => {
    await suite.store('a', 'b', 'd', '\uFF5E', '😀');
    expect(await query({ until: 'b' })).toEqual(['a', 'b']);
    expect(await query({ until: 'c' })).toEqual(['a', 'b']);
    expect(await query({ until: '\uFF5E' })).toEqual(['a', 'b', 'd', '\uFF5E']);
    expect(await query({ until: '!' })).toEqual([]);
    expect(await query({ until: 'd', order: 'desc' })).toEqual(['😀', '\uFF5E', 'd']);
    expect(await query({ until: 'c', order: 'desc' })).toEqual(['😀', '\uFF5E', 'd']);
    expect(await query({ until: '\u{10FFFF}', order: 'desc' })).toEqual([]);
  });

  it('joins cursor, until, prefix and limit', async () => {
    await suite.store('a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'b/2');
    expect(await query({ after: 'a/1', until: 'a/3' })).toEqual(['a/2', 'a/3']);
    expect(await query({ after: 'a/3', until: 'a/1', order: 'desc' })).toEqual(['a/2', 'a/1']);
    expect(await query({ after: 'a/3', until: 'a/1' })).toEqual([]);
    expect(await query({ after: 'a/2', until: 'a/2' })).toEqual([]);
    expect(await query({ prefix: 'a/', after: 'a/2' })).toEqual(['a/3', 'a/4']);
    expect(await query({ prefix: 'a/', after: 'a/2', limit: 1 })).toEqual(['a/3']);
    expect(await query({ prefix: 'a/', until: 'a/2' })).toEqual(['a/1', 'a/2']);
    expect(await query({ prefix: 'a/', after: 'a/3', order: 'desc' })).toEqual(['a/2', 'a/1']);
    expect(await query({ prefix: 'a/', until: 'a/3', order: 'desc' })).toEqual(['a/4', 'a/3']);
    expect(await query({ prefix: 'a/', after: 'a/1', until: 'a/3' })).toEqual(['a/2', 'a/3']);
    expect(await query({ prefix: 'b/', after: 'a/2' })).toEqual(['b/1', 'b/2']);
    expect(await query({ prefix: 'a/', after: 'b/2', order: 'desc' })).toHaveLength(4);
    expect(await query({ prefix: 'a/', after: 'b/1' })).toEqual([]);
    expect(await query({ prefix: 'b/', until: 'a/9' })).toEqual([]);
    expect(await query({ prefix: 'a/', until: 'b/9' })).toHaveLength(4);
  });

  it.each([
    ['a', ['a', 'a/b', 'aa']],
    ['A', ['A']],
    ['é', ['é']],
    ['', ordered],
    ['😀', ['😀']],
    ['\u{10FFFF}', []],
  ])('takes the prefix %j as it is', async (prefix, expected) => {
    await suite.store(...ordered);
    expect(await query({ prefix })).toEqual(expected);
    expect(await query({ prefix, order: 'desc' })).toEqual(expected.toReversed());
  });

  it.each(['%', '_', '*', '?', '[a-z]', '\\', "'", '"', '~', '\uD7FF', '\uFFFF', '\u{10FFFF}'])(
    'takes no character of a prefix for a pattern: %j',
    async (character) => {
      const inside = [`p${character}`, `p${character}x`, `p${character}\u{10FFFF}`];
      await suite.store(...inside, 'p', 'pz', 'pa', 'p\u{10FFFE}');
      for (const order of ['asc', 'desc'] as const) {
        const found = await query({ prefix: `p${character}`, order });
        expect(found.filter((sort) => !inside.includes(sort))).toEqual([]);
        expect(found).toHaveLength(3);
      }
    },
  );

  it.each(['asc', 'desc'] as const)('pages without gap or repeat, %s', async (order) => {
    const sorts = Array.from({ length: 25 }, (_, i) => `p/${String(i).padStart(2, '0')}`);
    await suite.store('o', ...sorts, 'q');
    const paged: string[] = [];
    for (;;) {
      const after = paged.at(-1);
      const page = await query({
        prefix: 'p/',
        order,
        limit: 10,
        ...(after === undefined ? {} : { after }),
      });
      paged.push(...page);
      if (page.length < 10) break;
    }
    expect(paged).toEqual(order === 'asc' ? sorts : sorts.toReversed());
  });

  it('answers 1000 records', async () => {
    const sorts = Array.from({ length: 1001 }, (_, i) => String(10_000 + i));
    await suite.store(...sorts);
    expect(await query({ limit: 1000 })).toEqual(sorts.slice(0, 1000));
    expect(await query({ limit: 1000, order: 'desc' })).toEqual(sorts.toReversed().slice(0, 1000));
  });

  it('answers fewer than the limit only when there are no more, however big they are', async () => {
    const sorts = Array.from({ length: 14 }, (_, i) => `s${10 + i}`);
    const big = 'x'.repeat(240_000);
    await suite.commit(...sorts.map((sort) => suite.put(sort, big)));
    expect(await query({})).toEqual(sorts);
    expect(await query({ limit: 13, order: 'desc' })).toEqual(sorts.toReversed().slice(0, 13));
  });
}
