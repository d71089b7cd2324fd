import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict, NotFound, Unavailable } from '../../../src/core/errors/app-error.ts';
import { commit } from '../../../src/core/journal/commit.ts';
import { journalsPartition } from '../../../src/core/journal/journal-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { count, counterKey, countOf, journal, origin, randomFrom } from './notes.ts';

const startMs = Date.UTC(2026, 0, 1);

describe('commit', () => {
  let deps: CoreDeps;
  beforeEach(() => {
    deps = coreDeps();
  });

  it('writes the state and who, what, before, after, when, which request and why', async () => {
    await count(deps);
    deps.clock.set(startMs + 1);
    const by = { tenant: 'demo', actor: 'bob', requestId: 'request-2' };
    await count(deps, by, { action: 'test.told', subject: 'it', reason: 'to see' });
    expect(await journal(deps.records)).toEqual([
      {
        index: 0,
        at: '2026-01-01T00:00:00.000Z',
        actor: 'ann',
        action: 'test.counted',
        subject: 'counter',
        before: null,
        after: 1,
        requestId: 'request-1',
        reason: null,
        commitId: expect.any(String),
      },
      {
        index: 1,
        at: '2026-01-01T00:00:00.001Z',
        actor: 'bob',
        action: 'test.told',
        subject: 'it',
        before: 1,
        after: 2,
        requestId: 'request-2',
        reason: 'to see',
        commitId: expect.any(String),
      },
    ]);
    expect(await countOf(deps.records)).toBe(2);
  });

  it('hands the entry that it wrote to `result`', async () => {
    const { entry } = await count(deps);
    expect([entry]).toEqual(await journal(deps.records));
  });

  it('gives each tenant a journal of its own, and lists the tenant with its first entry', async () => {
    await count(deps);
    await count(deps, { ...origin, tenant: 'other' });
    await count(deps, { ...origin, tenant: 'other' });
    expect((await journal(deps.records, 'demo')).map(({ index }) => index)).toEqual([0]);
    expect((await journal(deps.records, 'other')).map(({ index }) => index)).toEqual([0, 1]);
    const tenants = await deps.records.query({ partition: journalsPartition, limit: 10 });
    expect(tenants.map(({ key }) => key.sort)).toEqual(['demo', 'other']);
  });

  it('numbers entries 0, 1, 2 … in one commit each when nobody is in the way', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    for (let i = 0; i < 3; i++) await count({ ...deps, records });
    const indexes = (await journal(deps.records)).map(({ index }) => index);
    expect(indexes).toEqual([0, 1, 2]);
    expect(calls.commit).toBe(3);
  });

  it('wakes who waits for the entry, once it is there', async () => {
    let woken = false;
    const wait = deps.signal.wait('demo', 0, 60_000).then(() => (woken = true));
    await commit(deps, origin, async () => ({ kind: 'unchanged', result: 0 }));
    await setImmediate();
    expect(woken).toBe(false);
    await count(deps);
    await wait;
  });

  it('writes nothing when nothing changes', async () => {
    await count(deps);
    const { port: records, calls } = countingRecords(deps.records);
    const answer = await commit({ ...deps, records }, origin, async () => ({
      kind: 'unchanged',
      result: 'as it was',
    }));
    expect(answer).toBe('as it was');
    expect(calls.commit).toBe(0);
    expect(await journal(deps.records)).toHaveLength(1);
  });

  it('writes nothing when the decision fails, and passes its error on', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    const refusal = new NotFound('no such thing');
    const refused = commit({ ...deps, records }, origin, async () => {
      throw refusal;
    });
    await expect(refused).rejects.toBe(refusal);
    expect(calls.commit).toBe(0);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('writes nothing when the writes cannot be made', async () => {
    const refusal = new Conflict('no room');
    const refused = commit(deps, origin, async () => ({
      kind: 'change',
      entry: { action: 'test.refused', subject: 'it', before: null, after: null, reason: null },
      writes: () => {
        throw refusal;
      },
      result: () => 0,
    }));
    await expect(refused).rejects.toBe(refusal);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('passes a defect of the store on at once', async () => {
    const defect = new Error('disk on fire');
    let commits = 0;
    const records = faultyRecords(deps.records, ({ method }) =>
      method === 'commit'
        ? {
            before: () => {
              commits += 1;
              return Promise.reject(defect);
            },
          }
        : 'none',
    );
    await expect(count({ ...deps, records })).rejects.toBe(defect);
    expect(commits).toBe(1);
  });
});

describe('commit, in time', () => {
  it('never lets `at` decrease when the clock steps back', async () => {
    const deps = coreDeps();
    const told: string[] = [];
    for (const offsetMs of [0, 5000, -60_000, 4999, 5000, 5001, -1]) {
      deps.clock.set(startMs + offsetMs);
      const { entry } = await count(deps);
      told.push(entry.at.slice(17));
    }
    expect(told).toEqual([
      '00.000Z',
      '05.000Z',
      '05.000Z',
      '05.000Z',
      '05.000Z',
      '05.001Z',
      '05.001Z',
    ]);
    await assertConsistent(deps.records, 'demo');
  });
});

describe('commit, against others', () => {
  it('decides again on what others wrote', async () => {
    const deps = coreDeps();
    const seen: number[] = [];
    const key = counterKey('demo');
    const answer = await commit(deps, origin, async () => {
      const held = await getRecord(deps, key);
      seen.push(held?.value ?? 0);
      // Between our read and our write.
      if (seen.length === 1) await count(deps, { ...origin, actor: 'bob' });
      return {
        kind: 'change',
        entry: { action: 'test.set', subject: 'counter', before: null, after: 10, reason: null },
        writes: () => [{ kind: 'put', key, value: 10, expect: held?.rev ?? 'absent' }],
        result: (entry) => entry.index,
      };
    });
    expect(seen).toEqual([0, 1]);
    expect(answer).toBe(1);
    expect((await journal(deps.records)).map(({ actor }) => actor)).toEqual(['bob', 'ann']);
    expect(await countOf(deps.records)).toBe(10);
  });

  it.each([1, 2, 3, 4, 5])(
    'leaves no gap under 20 writers and lost races (seed %i)',
    async (seed) => {
      const { records, results } = await write20({
        seed,
        commits: ['none', 'conflict', ...delays],
      });
      const numbers = results.map((result) =>
        result.status === 'fulfilled' ? result.value : null,
      );
      expect(numbers.toSorted((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      const entries = await assertConsistent(records, 'demo');
      expect(entries.map(({ after }) => numbers.indexOf(Number(after)))).toEqual(
        entries.map(({ actor }) => Number(actor)),
      );
    },
  );

  it.each([1, 2, 3, 4, 5])('does each change once under faults, too (seed %i)', async (seed) => {
    const commits: Fault[] = ['none', 'conflict', 'not-written', 'written-but-failed', ...delays];
    const { records, results } = await write20({ seed, commits });
    const entries = await assertConsistent(records, 'demo');
    const writers = entries.map(({ actor }) => Number(actor));
    expect(new Set(writers).size).toBe(writers.length);
    expect(await countOf(records)).toBe(entries.length);
    results.forEach((result, writer) => {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Unavailable);
      else expect(entries[writers.indexOf(writer)]?.after).toBe(result.value);
    });
    // Or else this shows nothing.
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(10);
  });

  it('gives up after 12 lost races, with nothing written', async () => {
    const deps = coreDeps();
    const { port, calls } = countingRecords(deps.records);
    const records = faultyRecords(port, ({ method }) =>
      method === 'commit' ? 'conflict' : undefined,
    );
    let decided = 0;
    const lost = commit({ ...deps, records }, origin, async () => {
      decided += 1;
      return {
        kind: 'change',
        entry: { action: 'test.lost', subject: 'it', before: null, after: null, reason: null },
        writes: () => [],
        result: () => 0,
      };
    });
    await expect(lost).rejects.toMatchObject({ code: 'conflict', retryable: true });
    expect(decided).toBe(12);
    // Injected above the counter.
    expect(calls.commit).toBe(0);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('waits between lost races, longer each time, at most half a second', async () => {
    const clock = new ManualClock();
    const sleeps: number[] = [];
    const deps = coreDeps({ clock });
    clock.sleep = async (ms) => void sleeps.push(ms);
    const records = faultyRecords(deps.records, ({ method, nth }) =>
      method === 'commit' && nth < 12 ? 'conflict' : undefined,
    );
    await count({ ...deps, records });
    expect(sleeps).toHaveLength(11);
    sleeps.forEach((ms, lost) => expect(ms).toBeLessThan(Math.min(500, 10 * 2 ** lost)));
    expect(Math.max(...sleeps)).toBeGreaterThan(20);
  });
});

const delays: readonly Fault[] = [
  { before: () => setImmediate() },
  { after: () => setImmediate() },
  'none',
];

/** 20 at once, each named by its place, with faults drawn for each commit, in simulated time. */
async function write20({ seed, commits }: { seed: number; commits: readonly Fault[] }) {
  const clock = new ManualClock();
  const random = randomFrom(seed);
  const inner = memoryRecords(clock);
  const records = faultyRecords(inner, ({ method }) => {
    const faults = method === 'commit' ? commits : delays;
    return faults[random(faults.length)];
  });
  const deps = coreDeps({ clock, records });
  const stop = new AbortController();
  const all = Promise.allSettled(
    Array.from({ length: 20 }, async (_, writer) => {
      return (await count(deps, { ...origin, actor: `${writer}` })).counted;
    }),
  ).finally(() => stop.abort());
  while (!stop.signal.aborted) await clock.advance(50);
  return { records: inner, results: await all };
}
