import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RecordWrite } from '../../src/ports/record-store.ts';
import type { RecordSuite } from './record-suite.ts';

export function describeRecordExpiry(suite: RecordSuite): void {
  /** A put that expires in `ms`. */
  const brief = (
    sort: string,
    ms: number,
    expected: 'absent' | number = 'absent',
  ): RecordWrite => ({
    kind: 'put',
    key: suite.key(sort),
    value: sort,
    expect: expected,
    expiresAtMs: suite.clock.nowMs() + ms,
  });
  const tick = (ms: number): void => suite.clock.set(suite.clock.nowMs() + ms);

  it('counts a record as absent from its time on, in every read', async () => {
    await suite.commit(brief('a', 1000), suite.put('b'));
    const reads = async (): Promise<unknown[]> => [
      await suite.read('a'),
      await suite.records.get(suite.key('a'), { consistency: 'eventual' }),
      (await suite.records.getMany([suite.key('b'), suite.key('a')]))[1],
      (await suite.sorts()).includes('a') || undefined,
    ];
    expect(await reads()).not.toContain(undefined);
    tick(999);
    expect(await reads()).not.toContain(undefined);
    tick(1);
    expect(await reads()).toEqual([undefined, undefined, undefined, undefined]);
    expect(await suite.sorts()).toEqual(['b']);
  });

  it('counts it as absent in every expectation', async () => {
    const key = suite.key('a');
    await suite.commit(brief('a', 1000));
    tick(1000);
    expect(await suite.commit({ kind: 'check', key, expect: 1 })).toBe('conflict');
    expect(await suite.commit({ kind: 'delete', key, expect: 1 })).toBe('conflict');
    expect(await suite.commit(suite.put('a', 'x', 1))).toBe('conflict');
    expect(await suite.commit({ kind: 'check', key, expect: 'absent' })).toBe('committed');
    expect(await suite.commit(suite.put('a', 'new'))).toBe('committed');
    expect(await suite.read('a')).toEqual({ value: 'new', rev: 1 });
  });

  it('keeps a record that took the place of an expired one', async () => {
    await suite.commit(brief('a', 1000));
    tick(1000);
    await suite.commit(suite.put('a', 'new'));
    tick(10_000);
    expect(await suite.commit(suite.put('b'))).toBe('committed');
    expect(await suite.read('a')).toEqual({ value: 'new', rev: 1 });
  });

  it('takes the time of the latest put, also when that has none', async () => {
    await suite.commit(brief('longer', 1000), brief('shorter', 1000), brief('forever', 1000));
    await suite.commit(
      brief('longer', 2000, 1),
      brief('shorter', 500, 1),
      suite.put('forever', 'x', 1),
    );
    tick(500);
    expect(await suite.sorts()).toEqual(['forever', 'longer']);
    tick(1000);
    expect(await suite.sorts()).toEqual(['forever', 'longer']);
    tick(500);
    expect(await suite.sorts()).toEqual(['forever']);
  });

  it('takes a time that has passed', async () => {
    expect(await suite.commit(brief('a', -1000))).toBe('committed');
    expect(await suite.read('a')).toBeUndefined();
    expect(await suite.commit(suite.put('a'))).toBe('committed');
    expect(await suite.read('a')).toEqual({ value: 'a', rev: 1 });
  });

  it('does not let expired records count against a limit', async () => {
    const gone = Array.from({ length: 50 }, (_, i) => `a${i}`);
    await suite.commit(...gone.map((sort) => brief(sort, 1000)));
    await suite.store('b', 'c');
    tick(1000);
    const page = await suite.records.query({ partition: suite.partition, limit: 1 });
    expect(page.map(({ key }) => key.sort)).toEqual(['b']);
  });

  it('lets 300 expired records disturb no later commit', async () => {
    const gone = Array.from({ length: 300 }, (_, i) => `gone${i}`);
    for (let i = 0; i < 300; i += 100) {
      await suite.commit(...gone.slice(i, i + 100).map((sort) => brief(sort, 1000)));
    }
    await suite.commit(brief('stays', 5000), suite.put('a'));
    tick(1000);
    for (let rev = 1; rev <= 5; rev++) {
      expect(await suite.commit(suite.put('a', rev, rev))).toBe('committed');
    }
    expect(await suite.sorts()).toEqual(['a', 'stays']);
    expect(await suite.commit(...gone.slice(0, 100).map((sort) => suite.put(sort)))).toBe(
      'committed',
    );
  });

  it('does a put of an expiring record once for one token', async () => {
    const token = randomUUID();
    const writes = [brief('a', 1000)];
    await suite.records.commit(writes, token);
    tick(500);
    await suite.records.commit(writes, token);
    tick(500);
    expect(await suite.read('a')).toBeUndefined();
  });
}
