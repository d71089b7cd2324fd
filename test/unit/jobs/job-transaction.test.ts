import { beforeEach, describe, expect, it } from 'vitest';
import { GatheringTransaction } from '../../../src/core/jobs/job-transaction.ts';
import type { KeyOf } from '../../../src/core/records.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';

const key = (sort: string): KeyOf<string> => ({ partition: 'demo#test', sort });

let records: RecordStore;
let calls: { readonly getMany: number };
let tx: GatheringTransaction;
beforeEach(async () => {
  const counted = countingRecords(coreDeps().records);
  ({ port: records, calls } = counted);
  await write('a', 'old a');
  await write('b', 'old b');
  counted.reset();
  tx = new GatheringTransaction({ records });
});

let token = 0;
async function write(sort: string, value: string): Promise<void> {
  const held = await records.get(key(sort));
  const expected = held?.rev ?? 'absent';
  const put = { kind: 'put', key: key(sort), value, expect: expected } as const;
  await records.commit([put], `${token++}`);
}

function commit(): Promise<'committed' | 'conflict'> {
  return records.commit(tx.writes(), `tx ${token++}`);
}

describe('GatheringTransaction', () => {
  it('reads what is there, each record once', async () => {
    expect(await tx.get(key('a'))).toBe('old a');
    expect(await tx.getMany([key('b'), key('a'), key('none'), key('b')])).toEqual([
      'old b',
      'old a',
      undefined,
      'old b',
    ]);
    expect(await tx.get(key('none'))).toBeUndefined();
    expect(calls.getMany).toBe(2);
  });

  it('reads what it wrote', async () => {
    await tx.put(key('a'), 'new a');
    await tx.delete(key('b'));
    await tx.put(key('c'), 'new c');
    expect(await tx.getMany([key('a'), key('b'), key('c')])).toEqual(['new a', undefined, 'new c']);
    await tx.put(key('b'), 'back');
    expect(await tx.get(key('b'))).toBe('back');
    expect((await records.get(key('a')))?.value).toBe('old a');
  });

  it('writes all of it', async () => {
    await tx.put(key('a'), 'new a');
    await tx.delete(key('b'));
    await tx.put(key('c'), 'new c', { expiresAtMs: Date.UTC(2027, 0, 1) });
    await tx.delete(key('none'));
    expect(await commit()).toBe('committed');
    const found = await records.getMany([key('a'), key('b'), key('c'), key('none')]);
    expect(found.map((record) => record?.value)).toEqual(['new a', undefined, 'new c', undefined]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['changed', () => write('a', 'theirs')],
    ['deleted', () => records.commit([{ kind: 'delete', key: key('a'), expect: 1 }], `${token++}`)],
    ['made', () => write('none', 'theirs')],
  ])('writes nothing when what it read was %s', async (_, change) => {
    await tx.getMany([key('a'), key('none')]);
    await tx.put(key('b'), 'new b');
    expect(await tx.stillHolds()).toBe(true);
    await change();
    expect(await tx.stillHolds()).toBe(false);
    expect(await commit()).toBe('conflict');
    expect((await records.get(key('b')))?.value).toBe('old b');
  });

  it('binds nobody while it writes nothing', async () => {
    await tx.get(key('a'));
    await write('a', 'theirs');
    expect(tx.writes()).toEqual([]);
    expect(await tx.stillHolds()).toBe(true);
  });

  it('notices what came between two reads of different records', async () => {
    await tx.get(key('a'));
    await write('a', 'theirs');
    await tx.put(key('b'), 'new b');
    expect(await commit()).toBe('conflict');
  });

  it('touches at most 80 records, read or written', async () => {
    const keys = Array.from({ length: 80 }, (_, n) => key(`n${n}`));
    await tx.getMany(keys);
    await tx.put(keys[0]!, 'written');
    expect(tx.writes()).toHaveLength(80);
    await expect(tx.get(key('a'))).rejects.toBeInstanceOf(RangeError);
  });

  it('emits at most 20 events', () => {
    const emission = { type: 'a.b', subject: 's', data: null };
    for (let i = 0; i < 20; i++) tx.emit(emission);
    expect(() => tx.emit(emission)).toThrow(RangeError);
    expect(tx.emissions).toHaveLength(20);
  });
});
