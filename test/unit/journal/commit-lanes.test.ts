import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { NotFound, Unavailable } from '../../../src/core/errors/app-error.ts';
import { commitLanes } from '../../../src/core/journal/commit-lanes.ts';
import { type CoreDeps, coreDeps, processDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { checkedCounters } from './checked-counters.ts';
import { type Counted, counting, journal, origin, randomFrom } from './notes.ts';

/** Counts a named counter up, in the lane of a journal. */
function countIn(deps: CoreDeps, name: string, of = 'demo', actor = 'ann'): Promise<Counted> {
  const { decide } = counting(deps, name, { journal: of, actor });
  return deps.lanes.commit(of, { ...origin, actor }, decide);
}

describe('commitLanes', () => {
  let deps: CoreDeps;
  let calls: { readonly commit: number };
  beforeEach(() => {
    const plain = coreDeps();
    const counted = countingRecords(plain.records);
    calls = counted.calls;
    deps = processDeps(plain, { records: counted.port });
  });

  it('commits together what comes in one turn of the event loop, in its order', async () => {
    const names = ['c', 'a', 'b', 'e', 'd'];
    const answers = await Promise.all(names.map((name) => countIn(deps, name)));
    expect(answers).toEqual(names.map((name, index) => ({ name, value: 1, index })));
    expect(calls.commit).toBe(1);
    expect((await checkedCounters(deps.records)).map(({ subject }) => subject)).toEqual(names);
  });

  it('commits together what comes while a transaction is on its way', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = processDeps(deps, {
      records: faultyRecords(deps.records, { commit: [{ before: () => held }] }),
    });
    const first = countIn(slow, 'first');
    await setImmediate();
    await setImmediate();
    const others = ['a', 'b', 'c'].map((name) => countIn(slow, name));
    await setImmediate();
    release();
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(calls.commit).toBe(2);
  });

  it('commits at most 20 together', async () => {
    await Promise.all(Array.from({ length: 41 }, (_, n) => countIn(deps, `n${n}`)));
    expect(calls.commit).toBe(3);
    await checkedCounters(deps.records);
  });

  it('lets who comes again go before all others, in their order', async () => {
    const ask = (name: string, isAgain: boolean): Promise<Counted> =>
      deps.lanes.commit('demo', origin, counting(deps, name).decide, { isAgain });
    const plain = Array.from({ length: 25 }, (_, n) => ask(`n${n}`, false));
    const again = Array.from({ length: 5 }, (_, n) => ask(`again${n}`, true));
    await Promise.all([...plain, ...again]);
    const subjects = (await checkedCounters(deps.records)).map(({ subject }) => subject);
    expect(subjects).toEqual([
      ...Array.from({ length: 5 }, (_, n) => `again${n}`),
      ...Array.from({ length: 25 }, (_, n) => `n${n}`),
    ]);
  });

  it('has a journal wait for no other', async () => {
    const never = new Promise<void>(() => undefined);
    const records = faultyRecords(deps.records, ({ method, args: [key] }) =>
      method === 'get' && (key as { partition: string }).partition === 'stuck#state'
        ? { before: () => never }
        : undefined,
    );
    const own = processDeps(deps, { records });
    void countIn(own, 'a', 'stuck');
    expect(await countIn(own, 'a', 'free')).toMatchObject({ value: 1 });
  });

  it('goes on after it was idle', async () => {
    for (let i = 1; i <= 3; i++) {
      expect((await countIn(deps, 'a')).value).toBe(i);
      await setImmediate();
    }
    await checkedCounters(deps.records);
  });

  it('takes what a caller asks for as soon as it has its answer', async () => {
    const twice = async (name: string): Promise<number> => {
      await countIn(deps, name);
      return (await countIn(deps, name)).value;
    };
    expect(await Promise.all(['a', 'b', 'c'].map(twice))).toEqual([2, 2, 2]);
    expect(calls.commit).toBe(2);
  });

  it('tells only the caller whose change fails', async () => {
    const refusal = new NotFound('no such thing');
    const outcomes = await Promise.allSettled([
      countIn(deps, 'a'),
      deps.lanes.commit('demo', origin, () => Promise.reject(refusal)),
      countIn(deps, 'b'),
    ]);
    expect(outcomes).toMatchObject([
      { value: { value: 1 } },
      { reason: refusal },
      { value: { value: 1 } },
    ]);
  });

  it('refuses when 10 000 wait, and takes more when they are done', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const records = faultyRecords(deps.records, { get: [{ before: () => held }] });
    const lanes = commitLanes({ ...deps, records });
    const ask = (): Promise<string> =>
      lanes.commit('demo', origin, async () => ({ kind: 'unchanged', result: 'done' }));
    const first = Array.from({ length: 20 }, ask);
    await setImmediate();
    await setImmediate();
    const waiting = Array.from({ length: 10_000 }, ask);
    await expect(ask()).rejects.toBeInstanceOf(Unavailable);
    release();
    const answers = await Promise.all([...first, ...waiting]);
    expect(new Set(answers)).toEqual(new Set(['done']));
    expect(await ask()).toBe('done');
  });

  it('tells all of them when the store does not answer, and nothing is left behind', async () => {
    const records = faultyRecords(deps.records, ({ method, nth }) =>
      method === 'commit' && nth <= 3 ? 'not-written' : undefined,
    );
    const own = processDeps(deps, { records });
    const outcomes = await Promise.allSettled([countIn(own, 'a'), countIn(own, 'b')]);
    for (const outcome of outcomes) {
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(Unavailable);
    }
    expect(await journal(deps.records)).toEqual([]);
    expect((await countIn(own, 'a')).value).toBe(1);
  });
});

describe('commitLanes of several processes, for one journal', () => {
  it.each([1, 2, 3, 4, 5])('leaves no gap and doubles nothing (seed %i)', async (seed) => {
    const faults: Fault[] = ['none', 'none', 'conflict', 'not-written', 'written-but-failed'];
    const { outcomes, entries } = await race(seed, faults);
    const writers = new Set(entries.map(({ actor }) => actor));
    expect(writers.size).toBe(entries.length);
    const done = outcomes.filter(({ outcome }) => outcome.status === 'fulfilled');
    for (const { actor } of done) expect(writers).toContain(actor);
    // Or else this shows nothing.
    expect(done.length).toBeGreaterThan(120);
  });

  it('does everything when nothing fails', async () => {
    const { entries } = await race(6, ['none']);
    expect(entries).toHaveLength(300);
  });

  /** 3 processes with 100 changes each, of 30 counters, in simulated time. */
  async function race(seed: number, faults: readonly Fault[]) {
    const clock = new ManualClock();
    const random = randomFrom(seed);
    const inner = memoryRecords(clock);
    const plain = coreDeps({ clock, records: inner });
    const records = faultyRecords(inner, ({ method }) =>
      method === 'commit' ? faults[random(faults.length)] : { after: () => setImmediate() },
    );
    const stop = new AbortController();
    const all = Promise.all(
      Array.from({ length: 3 }, () => processDeps(plain, { records })).flatMap((own, process) =>
        Array.from({ length: 100 }, async (_, n) => {
          const actor = `${process}/${n}`;
          const name = `n${random(30)}`;
          const [outcome] = await Promise.allSettled([countIn(own, name, 'demo', actor)]);
          return { actor, outcome };
        }),
      ),
    ).finally(() => stop.abort());
    while (!stop.signal.aborted) await clock.advance(50);
    return { outcomes: await all, entries: await checkedCounters(inner) };
  }
});
