import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { commit } from '../../../src/core/journal/commit.ts';
import type { RecordStore, RecordWrite } from '../../../src/ports/record-store.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { count, countOf, journal, origin } from './notes.ts';

describe('commit, when the store does not answer', () => {
  let deps: CoreDeps;
  beforeEach(async () => {
    deps = coreDeps();
    await count(deps);
  });

  const patterns: Fault[][] = [
    ['not-written'],
    ['not-written', 'not-written'],
    ['written-but-failed'],
    ['written-but-failed', 'not-written'],
    ['not-written', 'written-but-failed'],
    ['written-but-failed', 'written-but-failed'],
    ['written-but-failed', 'conflict'],
    ['not-written', 'conflict'],
    ['conflict', 'not-written', 'written-but-failed'],
    ['conflict', 'written-but-failed', 'conflict'],
    // Here the last word is the journal's.
    ['written-but-failed', 'written-but-failed', 'written-but-failed'],
    ['written-but-failed', 'not-written', 'not-written'],
    ['not-written', 'not-written', 'written-but-failed'],
  ];
  it.each(patterns)('does the change once, and says so: %s %s %s', async (...faults) => {
    const records = faultyRecords(deps.records, { commit: faults });
    const { counted, entry } = await count({ ...deps, records });
    expect({ counted, index: entry.index }).toEqual({ counted: 2, index: 1 });
    expect(await journal(deps.records)).toHaveLength(2);
    expect((await journal(deps.records))[1]).toEqual(entry);
    expect(await countOf(deps.records)).toBe(2);
    await assertConsistent(deps.records, 'demo');
  });

  it('gives up after three sends, when nothing was written', async () => {
    const { port, calls } = countingRecords(deps.records);
    const records = faultyRecords(port, ({ method, nth }) =>
      method === 'commit' && nth <= 3 ? 'not-written' : undefined,
    );
    await expect(count({ ...deps, records })).rejects.toBeInstanceOf(Unavailable);
    expect(calls.commit).toBe(0);
    expect(await journal(deps.records)).toHaveLength(1);
    // The next call is like any other.
    expect((await count({ ...deps, records })).counted).toBe(2);
    await assertConsistent(deps.records, 'demo');
  });

  it('gives up when it cannot even look, and then the journal tells', async () => {
    const records = faultyRecords(deps.records, ({ method, nth }) => {
      if (method === 'commit') return 'written-but-failed';
      // The first reads are for the decision.
      return method === 'get' && nth > 2 ? 'not-written' : undefined;
    });
    await expect(count({ ...deps, records })).rejects.toBeInstanceOf(Unavailable);
    const entries = await assertConsistent(deps.records, 'demo');
    expect(entries.map(({ after }) => after)).toEqual([1, 2]);
    expect(await countOf(deps.records)).toBe(2);
  });

  it('does not take another entry of the same actor and request for its own', async () => {
    const records = faultyRecords(deps.records, {
      commit: [{ before: () => count(deps) }, 'not-written', 'none'],
    });
    const { counted } = await count({ ...deps, records });
    expect(counted).toBe(3);
    expect((await journal(deps.records)).map(({ after }) => after)).toEqual([1, 2, 3]);
  });

  it.each([1, 2])(
    'decides again when others were faster, and send %i was not answered',
    async (nth) => {
      const records = faultyRecords(deps.records, {
        commit: [
          ...Array.from({ length: nth }, (): Fault => 'not-written'),
          { before: () => count(deps, { ...origin, actor: 'bob' }) },
        ],
      });
      const { counted } = await count({ ...deps, records });
      expect(counted).toBe(3);
      await assertConsistent(deps.records, 'demo');
    },
  );

  it('tells nobody of a change that did not happen', async () => {
    let woken = false;
    const stop = new AbortController();
    const wait = deps.signal.wait('demo', 1, 60_000, stop.signal).then(() => (woken = true));
    const records = faultyRecords(deps.records, ({ method }) =>
      method === 'commit' ? 'not-written' : undefined,
    );
    await expect(count({ ...deps, records })).rejects.toBeInstanceOf(Unavailable);
    await setImmediate();
    expect(woken).toBe(false);
    stop.abort();
    await wait;
  });
});

describe('commit, when a send arrives late', () => {
  /** The first commit is not answered, and done when the caller looks at the store for the `nth` time after. */
  function lateRecords(inner: RecordStore, nth: number): RecordStore {
    let late: { writes: readonly RecordWrite[]; token: string } | undefined;
    let looks = 0;
    const methods = { get: 0, getMany: 0, query: 0, commit: 0 };
    return interceptMethods(inner, methods, async (method, args, call) => {
      if (method === 'commit' && late === undefined) {
        late = { writes: args[0] as RecordWrite[], token: String(args[1]) };
        throw new Unavailable('not answered');
      }
      if (late !== undefined) {
        looks += 1;
        if (looks === nth) await inner.commit(late.writes, late.token);
        // DynamoDB: IdempotentParameterMismatch, while the first is on its way.
        if (method === 'commit' && args[1] === late.token) return 'conflict';
      }
      return call();
    });
  }

  it.each([1, 2, 3, 4, 5, 6])('does not do the change twice (seen at look %i)', async (nth) => {
    const deps = coreDeps();
    await count(deps);
    const records = lateRecords(deps.records, nth);
    const answer = await count({ ...deps, records }).then(
      ({ counted }) => counted,
      (error: unknown) => error,
    );
    // It must not say that it failed for good, nor that it counted to 3.
    if (answer !== 2) expect(answer).toBeInstanceOf(Unavailable);
    // Enough looks for the send to arrive.
    for (let i = 0; i < 6; i++) await records.get({ partition: 'x', sort: 'x' });
    expect(await countOf(deps.records)).toBe(2);
    expect(await assertConsistent(deps.records, 'demo')).toHaveLength(2);
  });

  it('has an answer when the send arrives in time', async () => {
    const deps = coreDeps();
    const { entry } = await count({ ...deps, records: lateRecords(deps.records, 3) });
    expect([entry]).toEqual(await journal(deps.records));
  });
});

describe('commit, when a read fails', () => {
  it.each([1, 2])('writes nothing (read %i)', async (nth) => {
    const deps = coreDeps();
    const records = faultyRecords(deps.records, (call) =>
      call.method === 'get' && call.nth === nth ? 'not-written' : undefined,
    );
    await expect(count({ ...deps, records })).rejects.toBeInstanceOf(Unavailable);
    expect(await journal(deps.records)).toEqual([]);
    expect((await count({ ...deps, records })).counted).toBe(1);
  });

  it('leaves no rejection behind when the head and the decision fail together', async () => {
    const deps = coreDeps();
    const records = faultyRecords(deps.records, ({ method }) =>
      method === 'get' ? 'not-written' : undefined,
    );
    const refused = commit({ ...deps, records }, origin, async () => {
      throw new Error('a second one');
    });
    await expect(refused).rejects.toBeInstanceOf(Error);
    await setImmediate();
  });
});
