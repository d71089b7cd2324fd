import { beforeEach, describe, expect, it } from 'vitest';
import { commit } from '../../../src/core/journal/commit.ts';
import { shareReads } from '../../../src/core/journal/share-reads.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';

describe('shareReads', () => {
  let deps: CoreDeps;
  let queries: () => number;
  let readAfter: ReturnType<typeof shareReads>;

  beforeEach(() => {
    deps = coreDeps();
    const { port: records, calls } = countingRecords(deps.records);
    queries = () => calls.query;
    readAfter = shareReads({ records }, 2);
  });

  const add = (tenant = 'demo') =>
    commit(deps, { tenant, actor: 'a', requestId: 'r' }, async () => ({
      kind: 'change',
      entry: { action: 'x.done', subject: 's', before: null, after: null, reason: null },
      writes: () => [],
      result: () => undefined,
    }));
  const indexes = async (tenant: string, index: number) =>
    (await readAfter(tenant, index)).map((entry) => entry.index);

  it('reads once for all who stand at the same place, at once or one after the other', async () => {
    await add();
    const many = await Promise.all(Array.from({ length: 50 }, () => indexes('demo', -1)));
    expect(many).toEqual(many.map(() => [0]));
    expect(await indexes('demo', -1)).toEqual([0]);
    expect(queries()).toBe(1);
  });

  it('never keeps that there was nothing', async () => {
    expect(await indexes('demo', -1)).toEqual([]);
    await add();
    expect(await indexes('demo', -1)).toEqual([0]);
  });

  it('lets each go on from where it is, to the end', async () => {
    for (let i = 0; i < 5; i++) await add();
    expect(await indexes('demo', -1)).toEqual([0, 1]);
    expect(await indexes('demo', 1)).toEqual([2, 3]);
    expect(await indexes('demo', -1)).toEqual([0, 1]);
    expect(await indexes('demo', 3)).toEqual([4]);
    await add();
    expect(await indexes('demo', 4)).toEqual([5]);
  });

  it('keeps tenants apart', async () => {
    await add();
    await add('other');
    await add('other');
    expect(await indexes('other', -1)).toEqual([0, 1]);
    expect(await indexes('demo', -1)).toEqual([0]);
  });

  it('hands a failure to those who waited, and tries again for the next', async () => {
    await add();
    readAfter = shareReads({ records: faultyRecords(deps.records, { query: ['not-written'] }) }, 2);
    const both = await Promise.allSettled([readAfter('demo', -1), readAfter('demo', -1)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await indexes('demo', -1)).toEqual([0]);
  });
});
