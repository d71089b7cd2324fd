import { beforeEach, describe, expect, it } from 'vitest';
import { type CachedRecords, cachedRecords } from '../../../src/adapters/local/cached-records.ts';
import type { CacheableRecords } from '../../../src/adapters/local/cacheable-records.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { RecordWrite } from '../../../src/ports/record-store.ts';
import type { Counted } from '../../support/count-calls.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';

type Method = 'get' | 'getMany' | 'query' | 'commit';

describe('cachedRecords', () => {
  const key = { partition: 'p', sort: 'a' };
  const other = { partition: 'p', sort: 'b' };
  let clock: ManualClock;
  let store: CacheableRecords;
  let counted: Counted<CacheableRecords, Method>;
  let cached: CachedRecords;
  /** What happens to the next call of each method. */
  let nextFault: { [M in Method]?: Fault };
  let tokens = 0;

  beforeEach(() => {
    clock = new ManualClock();
    nextFault = {};
    store = memoryRecords(clock);
    const faulty = faultyRecords(store, ({ method }) => {
      const fault = nextFault[method];
      delete nextFault[method];
      return fault;
    });
    counted = countingRecords(faulty);
    cached = cachedRecords(counted.port, { maxBytes: 100_000, clock });
  });

  const put = (value: unknown, expected: 'absent' | number, at = key): RecordWrite => ({
    kind: 'put',
    key: at,
    value,
    expect: expected,
  });
  const commit = (...writes: RecordWrite[]): Promise<'committed' | 'conflict'> =>
    cached.commit(writes, `t${tokens++}`);
  const value = async (): Promise<unknown> => (await cached.get(key))?.value;
  /** A fault that holds the call, and how to let go of it. */
  const gate = (side: 'before' | 'after'): { fault: Fault; open: () => void } => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { fault: { [side]: () => promise }, open: resolve };
  };

  it('peeks at what it has read, and at nothing else', async () => {
    await commit(put('one', 'absent'));
    expect(cached.peek(key)).toBeUndefined();
    await cached.get(key);
    counted.reset();
    expect(cached.peek(key)?.value).toBe('one');
    await commit(put('two', 1));
    expect(cached.peek(key)).toBeUndefined();
    expect(counted.calls.get).toBe(0);
  });

  it('reads a record once, and shares it', async () => {
    await commit(put('one', 'absent'));
    const first = await cached.get(key);
    expect(await cached.get({ ...key }, { consistency: 'eventual' })).toBe(first);
    expect((await cached.getMany([key]))[0]).toBe(first);
    expect(counted.calls).toMatchObject({ get: 1, getMany: 0 });
  });

  it('allocates no promise for a hit', async () => {
    await cached.get(key);
    expect(cached.get(key)).toBe(cached.get(key));
  });

  it('remembers that there is no record', async () => {
    await cached.get(key);
    expect(await cached.get(key)).toBeUndefined();
    expect(await cached.getMany([key])).toEqual([undefined]);
    expect(counted.calls).toMatchObject({ get: 1, getMany: 0 });
    await commit(put('one', 'absent'));
    expect(await value()).toBe('one');
  });

  it('asks getMany only for what it does not have', async () => {
    await commit(put('one', 'absent'), put('two', 'absent', other));
    await cached.get(key);
    const found = await cached.getMany([other, key]);
    expect(found.map((record) => record?.value)).toEqual(['two', 'one']);
    await cached.getMany([key, other]);
    expect(counted.calls).toMatchObject({ get: 1, getMany: 1 });
  });

  it('refuses a key twice, also when it has the answer', async () => {
    await cached.get(key);
    await expect(cached.getMany([key, key])).rejects.toBeInstanceOf(RangeError);
  });

  it('forgets what a commit wrote, and nothing else', async () => {
    await commit(put('one', 'absent'), put('two', 'absent', other));
    await cached.getMany([key, other]);
    await commit(put('new', 1), { kind: 'check', key: other, expect: 1 });
    expect(await value()).toBe('new');
    expect(await cached.get(other)).toMatchObject({ value: 'two' });
    expect(counted.calls).toMatchObject({ get: 1, getMany: 1 });
    await commit({ kind: 'delete', key, expect: 2 });
    expect(await value()).toBeUndefined();
  });

  it.each(['get', 'getMany'] as const)(
    'does not keep what a %s read before a commit and brought after it',
    async (method) => {
      await commit(put('old', 'absent'));
      const { fault, open } = gate('after');
      nextFault[method] = fault;
      const reading = method === 'get' ? cached.get(key) : cached.getMany([key]);
      await commit(put('new', 1));
      open();
      expect([await reading].flat()).toMatchObject([{ value: 'old' }]);
      expect(await value()).toBe('new');
      expect((await cached.getMany([key]))[0]?.value).toBe('new');
    },
  );

  it('does not keep what was read while a commit was on its way to the store', async () => {
    await commit(put('old', 'absent'));
    await value();
    const { fault, open } = gate('before');
    nextFault.commit = fault;
    const committing = commit(put('new', 1));
    expect(await value()).toBe('old');
    open();
    await committing;
    expect(await value()).toBe('new');
  });

  it('does not serve an old record once another read has seen the new one', async () => {
    await commit(put('old', 'absent'));
    await value();
    const { fault, open } = gate('after');
    nextFault.commit = fault;
    const committing = commit(put('new', 1));
    expect(await value()).toBe('new');
    open();
    await committing;
    expect(await value()).toBe('new');
  });

  it.each(['not-written', 'written-but-failed', 'conflict'] as const)(
    'reads again after a commit that is %s',
    async (fault) => {
      await commit(put('old', 'absent'));
      await value();
      nextFault.commit = fault;
      const answer = await commit(put('new', 1)).catch((error: unknown) => error);
      if (fault === 'conflict') expect(answer).toBe('conflict');
      else expect(answer).toBeInstanceOf(Unavailable);
      expect(await value()).toBe(fault === 'written-but-failed' ? 'new' : 'old');
    },
  );

  it('does not remember that a read failed', async () => {
    await commit(put('one', 'absent'));
    nextFault.get = 'not-written';
    await expect(cached.get(key)).rejects.toBeInstanceOf(Unavailable);
    expect(await value()).toBe('one');
    await commit(put('two', 1));
    nextFault.getMany = 'not-written';
    await expect(cached.getMany([key])).rejects.toBeInstanceOf(Unavailable);
    expect((await cached.getMany([key]))[0]?.value).toBe('two');
  });

  it('lets go of a record at the moment it expires', async () => {
    await commit({
      ...put('brief', 'absent'),
      kind: 'put',
      expiresAtMs: clock.nowMs() + 1000,
    } as RecordWrite);
    expect(await value()).toBe('brief');
    clock.set(clock.nowMs() + 999);
    expect(await value()).toBe('brief');
    expect(counted.calls.get).toBe(1);
    clock.set(clock.nowMs() + 1);
    expect(await value()).toBeUndefined();
    expect(await cached.getMany([key])).toEqual([undefined]);
  });

  it('keeps to its bytes, and drops what was used longest ago', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => ({ partition: 'p', sort: `s${i}` }));
    await commit(...keys.map((at) => put('x'.repeat(1000), 'absent', at)));
    for (const at of keys) {
      await cached.get(at);
      await cached.get({ partition: 'p', sort: 's0' });
    }
    counted.reset();
    for (const at of keys) await cached.get(at);
    // Of 100 KB, each takes 2 KB and something: the first, always in use, is still there.
    expect(counted.calls.get).toBe(99);
    counted.reset();
    for (const at of keys.slice(-30)) await cached.get(at);
    expect(counted.calls.get).toBe(0);
  });

  it('does not keep what is larger than the whole cache', async () => {
    await commit(put('x'.repeat(200_000), 'absent'));
    await value();
    await value();
    expect(counted.calls.get).toBe(2);
  });
});
