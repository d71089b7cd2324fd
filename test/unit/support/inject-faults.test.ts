import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { RecordWrite } from '../../../src/ports/record-store.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyBus } from '../../support/faulty-bus.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { slow } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryBlobs } from '../../support/memory-blobs.ts';
import { memoryRecords } from '../../support/memory-records.ts';

const key = { partition: 'p', sort: 'a' };
const put = (sort: string): RecordWrite[] => [
  { kind: 'put', key: { partition: 'p', sort }, value: sort, expect: 'absent' },
];

describe('faultyRecords', () => {
  it('injects by a script for each method, in turn', async () => {
    const records = memoryRecords(new ManualClock());
    const faulty = faultyRecords(records, {
      commit: ['none', 'not-written', 'written-but-failed', 'conflict'],
      get: ['not-written'],
    });
    expect(await faulty.commit(put('a'), '1')).toBe('committed');
    await expect(faulty.commit(put('b'), '2')).rejects.toBeInstanceOf(Unavailable);
    await expect(faulty.commit(put('c'), '3')).rejects.toBeInstanceOf(Unavailable);
    expect(await faulty.commit(put('d'), '4')).toBe('conflict');
    expect(await faulty.commit(put('e'), '5')).toBe('committed');
    await expect(faulty.get(key)).rejects.toBeInstanceOf(Unavailable);
    expect(await faulty.get(key)).toMatchObject({ value: 'a' });
    const stored = await records.query({ partition: 'p', limit: 9 });
    expect(stored.map(({ value }) => value)).toEqual(['a', 'c', 'e']);
  });

  it('injects by a predicate that sees the call', async () => {
    const seen: unknown[] = [];
    const faulty = faultyRecords(memoryRecords(new ManualClock()), ({ method, args, nth }) => {
      seen.push([method, args.length, nth]);
      return method === 'commit' && args[1] === 'bad' ? 'not-written' : undefined;
    });
    await faulty.commit(put('a'), 'good');
    await expect(faulty.commit(put('b'), 'bad')).rejects.toBeInstanceOf(Unavailable);
    await faulty.get(key);
    expect(seen).toEqual([
      ['commit', 2, 1],
      ['commit', 2, 2],
      ['get', 1, 1],
    ]);
  });

  it('delays a call, or its answer', async () => {
    const clock = new ManualClock();
    const records = memoryRecords(clock);
    const faulty = faultyRecords(records, {
      commit: [{ before: () => clock.sleep(50) }, { after: () => clock.sleep(50) }, slow(1)],
    });
    const first = faulty.commit(put('a'), '1');
    expect(await records.get(key)).toBeUndefined();
    await clock.advance(50);
    expect(await first).toBe('committed');
    const second = faulty.commit(put('b'), '2');
    expect(await records.get({ ...key, sort: 'b' })).toBeDefined();
    await clock.advance(50);
    expect(await second).toBe('committed');
    expect(await faulty.commit(put('c'), '3')).toBe('committed');
  });
});

describe('faultyBlobs', () => {
  it('injects both kinds of fault', async () => {
    const blobs = memoryBlobs();
    const faulty = faultyBlobs(blobs, { put: ['not-written', 'written-but-failed'] });
    const ref = { tenant: 't', digest: '0'.repeat(64) };
    await expect(faulty.put(ref, new Uint8Array(1))).rejects.toBeInstanceOf(Unavailable);
    expect(await blobs.head(ref)).toBeUndefined();
    await expect(faulty.put(ref, new Uint8Array(1))).rejects.toBeInstanceOf(Unavailable);
    expect(await blobs.head(ref)).toEqual({ sizeBytes: 1 });
    expect(await faulty.put(ref, new Uint8Array(1))).toBe('present');
  });
});

describe('faultyBus', () => {
  it('injects both kinds of fault', async () => {
    let calls = 0;
    const bus = { publish: async () => void calls++ };
    const faulty = faultyBus(bus, { publish: ['not-written', 'written-but-failed'] });
    await expect(faulty.publish()).rejects.toBeInstanceOf(Unavailable);
    expect(calls).toBe(0);
    await expect(faulty.publish()).rejects.toBeInstanceOf(Unavailable);
    expect(calls).toBe(1);
  });
});
