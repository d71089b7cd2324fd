import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict, NotFound, Unavailable } from '../../../src/core/errors/app-error.ts';
import { type ChangeRequest, commitTogether } from '../../../src/core/journal/commit.ts';
import { headKey } from '../../../src/core/journal/journal-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { checkedCounters } from './checked-counters.ts';
import { type Counted, counting, journal, namedKey, origin } from './notes.ts';

const names = ['a', 'b', 'c', 'd', 'e'] as const;

let deps: CoreDeps;
let commits: () => number;
beforeEach(() => {
  const plain = coreDeps();
  const { port: records, calls } = countingRecords(plain.records);
  deps = { ...plain, records };
  commits = () => calls.commit;
});

function together<T>(...requests: ChangeRequest<T>[]) {
  return commitTogether(deps, 'demo', requests);
}

/** What became of each: its value, or the error. */
function said(outcomes: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as unknown),
  );
}

/** A change of no record that anyone else touches. */
function note(
  name: string,
  part: Partial<Extract<Awaited<ReturnType<ChangeRequest<unknown>['decide']>>, { kind: 'change' }>>,
): ChangeRequest<unknown> {
  return {
    origin,
    decide: async () => ({
      kind: 'change',
      entry: { action: 'test.noted', subject: name, before: null, after: null, reason: null },
      writes: () => [],
      result: () => name,
      ...part,
    }),
  };
}

describe('commitTogether', () => {
  it('gives changes of different records one transaction, an entry each, in order', async () => {
    const outcomes = await together(...names.map((name) => counting(deps, name, { actor: name })));
    expect(said(outcomes)).toEqual(names.map((name, index) => ({ name, value: 1, index })));
    expect(commits()).toBe(1);
    expect((await getRecord(deps, headKey('demo')))?.rev).toBe(1);
    const entries = await checkedCounters(deps.records);
    expect(entries.map(({ subject, actor }) => [subject, actor])).toEqual(
      names.map((name) => [name, name]),
    );
  });

  it('does nothing for nobody', async () => {
    expect(await together()).toEqual([]);
    expect(commits()).toBe(0);
  });

  it('gives changes of one record a transaction each, and both are done', async () => {
    const asked = ['a', 'b', 'a', 'a'].map((name) => counting(deps, name));
    expect(said(await together(...asked))).toEqual([
      { name: 'a', value: 1, index: 0 },
      { name: 'b', value: 1, index: 1 },
      { name: 'a', value: 2, index: 2 },
      { name: 'a', value: 3, index: 3 },
    ]);
    expect(commits()).toBe(3);
    await checkedCounters(deps.records);
  });

  it('wakes who waits for the last of them', async () => {
    const wait = deps.signal.wait('demo', 4, 60_000);
    await together(...names.map((name) => counting(deps, name)));
    await wait;
  });

  it('divides what is more than a transaction holds', async () => {
    const wide = (name: string): ChangeRequest<unknown> =>
      note(name, {
        writes: () =>
          Array.from({ length: 40 }, (_, n) => ({
            kind: 'put',
            key: namedKey('demo', `${name}${n}`),
            value: n,
            expect: 'absent',
          })),
      });
    const outcomes = await together(wide('a'), wide('b'), wide('c'), counting(deps, 'd'));
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(commits()).toBe(2);
    // What fits beside the first two goes with them.
    const subjects = (await journal(deps.records)).map(({ subject }) => subject);
    expect(subjects).toEqual(['a', 'b', 'd', 'c']);
  });
});

describe('commitTogether, when one fails', () => {
  const refusal = new NotFound('no such thing');
  const fail = (): never => {
    throw refusal;
  };

  it.each<[string, (own: CoreDeps) => ChangeRequest<unknown>]>([
    ['its decision', () => ({ origin, decide: async () => fail() })],
    ['its decision, at once', () => ({ origin, decide: fail })],
    ['its writes', () => note('x', { writes: fail })],
    ['that there is room for it', () => note('x', { admit: fail })],
  ])('does the others: %s', async (_, bad) => {
    const outcomes = await together<unknown>(counting(deps, 'a'), bad(deps), counting(deps, 'b'));
    expect(said(outcomes)).toEqual([
      { name: 'a', value: 1, index: 0 },
      refusal,
      { name: 'b', value: 1, index: 1 },
    ]);
    expect(commits()).toBe(1);
    await checkedCounters(deps.records);
  });

  it('tells of an answer that cannot be made, of what is done all the same', async () => {
    const outcomes = await together<unknown>(note('x', { result: fail }), counting(deps, 'a'));
    expect(said(outcomes)).toEqual([refusal, { name: 'a', value: 1, index: 1 }]);
    expect(await journal(deps.records)).toHaveLength(2);
  });

  it('answers who wants nothing changed, and does the others', async () => {
    const same: ChangeRequest<unknown> = {
      origin,
      decide: async () => ({ kind: 'unchanged', result: 'as it was' }),
    };
    const outcomes = await together(same, counting(deps, 'a'), same);
    expect(said(outcomes)).toEqual(['as it was', { name: 'a', value: 1, index: 0 }, 'as it was']);
    expect(commits()).toBe(1);
  });

  it('does the others when one conflicts for ever, and does not have them wait for it', async () => {
    const clock = new ManualClock();
    /** How many entries there were at each sleep. */
    const slept: number[] = [];
    clock.sleep = async () => void slept.push((await journal(deps.records)).length);
    const own = { ...deps, clock };
    const wrong = note('wrong', {
      writes: () => [{ kind: 'check', key: namedKey('demo', 'nobody'), expect: 7 }],
    });
    const outcomes = await commitTogether<unknown>(own, 'demo', [
      counting(deps, 'a'),
      wrong,
      ...names.slice(1).map((name) => counting(deps, name)),
    ]);
    const [first, lost, ...others] = said(outcomes);
    expect(lost).toBeInstanceOf(Conflict);
    expect([first, ...others]).toMatchObject(names.map((name) => ({ name, value: 1 })));
    await checkedCounters(deps.records);
    // Two in company, then each of the others once, and 10 more of its own.
    expect(commits()).toBe(2 + names.length + 10);
    const all = names.length;
    expect(slept).toEqual([0, 1, ...Array.from({ length: 8 }, () => all)]);
  });

  it('looks again at once when of several one was stale', async () => {
    const clock = new ManualClock();
    clock.sleep = async () => {
      throw new Error('nobody has to wait');
    };
    let isStale = true;
    const stale: ChangeRequest<unknown> = {
      origin,
      decide: () => {
        if (!isStale) return counting(deps, 'a').decide();
        isStale = false;
        return note('a', {
          writes: () => [{ kind: 'put', key: namedKey('demo', 'a'), value: 0, expect: 3 }],
        }).decide();
      },
    };
    const outcomes = await commitTogether<unknown>({ ...deps, clock }, 'demo', [
      stale,
      counting(deps, 'b'),
    ]);
    expect(said(outcomes)).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    await checkedCounters(deps.records);
  });

  const large = (name: string, chars: number): ChangeRequest<unknown> =>
    note(name, {
      writes: () => [
        { kind: 'put', key: namedKey('demo', name), value: 'x'.repeat(chars), expect: 'absent' },
      ],
    });

  it('sends one by one what is too large together', async () => {
    const outcomes = await together(
      ...Array.from({ length: 15 }, (_, n) => large(`n${n}`, 300_000)),
    );
    expect(said(outcomes)).toEqual(Array.from({ length: 15 }, (_, n) => `n${n}`));
    expect(await journal(deps.records)).toHaveLength(15);
  });

  it.each<[string, ChangeRequest<unknown>]>([
    ['is too large by itself', large('x', 400_000)],
    [
      'is no JSON',
      note('x', {
        writes: () => [
          { kind: 'put', key: namedKey('demo', 'x'), value: undefined, expect: 'absent' },
        ],
      }),
    ],
    [
      'touches a record twice',
      note('x', {
        writes: () =>
          [1, 2].map((value) => ({
            kind: 'put',
            key: namedKey('demo', 'x'),
            value,
            expect: 'absent',
          })),
      }),
    ],
  ])('does the others when one %s', async (_, bad) => {
    const outcomes = await together<unknown>(counting(deps, 'a'), bad, counting(deps, 'b'));
    const [a, refused, b] = said(outcomes);
    expect(refused).toSatisfy((e) => e instanceof RangeError || e instanceof TypeError);
    expect([a, b]).toMatchObject([{ value: 1 }, { value: 1 }]);
    await checkedCounters(deps.records);
  });

  it('does not take back what is done when the store fails later', async () => {
    // Of the head: the counters are read past the faults.
    const records = faultyRecords(deps.records, { get: ['none', 'not-written'] });
    const asked = ['a', 'b', 'a'].map((name) => counting(deps, name));
    const outcomes = await commitTogether({ ...deps, records }, 'demo', asked);
    const [a, b, again] = said(outcomes);
    expect([a, b]).toMatchObject([{ value: 1 }, { value: 1 }]);
    expect(again).toBeInstanceOf(Unavailable);
    expect(await checkedCounters(deps.records)).toHaveLength(2);
  });
});

describe('commitTogether, counting', () => {
  it('lets each change meet the counts as those before it leave them', async () => {
    const most =
      (limit: number) =>
      (counts: Readonly<Record<string, number>>): void => {
        if ((counts['x'] ?? 0) >= limit) throw new Conflict('full', 'job_not_open');
      };
    const one = (name: string): ChangeRequest<unknown> =>
      note(name, { tally: { x: 1 }, admit: most(3) });
    const outcomes = await together(...names.map(one));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((await getRecord(deps, headKey('demo')))?.value.tally).toEqual({ x: 3 });
  });

  it('leaves out what has come to 0', async () => {
    await together(counting(deps, 'a', { by: 2 }), counting(deps, 'b'));
    await together(counting(deps, 'a', { by: -2 }), counting(deps, 'b'));
    expect((await getRecord(deps, headKey('demo')))?.value.tally).toEqual({ b: 2 });
    await together(counting(deps, 'b', { by: -2 }));
    expect((await getRecord(deps, headKey('demo')))?.value).not.toHaveProperty('tally');
    await checkedCounters(deps.records);
  });
});

const faults: readonly Fault[] = ['none', 'none', 'conflict', 'not-written', 'written-but-failed'];

describe('commitTogether, under faults', () => {
  it('has every change once or not at all, as it says, and counts exactly', async () => {
    const asked = fc.record({
      groups: fc.array(
        fc.array(
          fc.record({ name: fc.constantFrom(...names), by: fc.integer({ min: -2, max: 2 }) }),
          {
            minLength: 1,
            maxLength: 8,
          },
        ),
        { minLength: 1, maxLength: 4 },
      ),
      fates: fc.array(fc.constantFrom(...faults), { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ groups, fates }) => {
        const own = coreDeps();
        const records = faultyRecords(own.records, ({ method, nth }) =>
          method === 'commit' ? fates[nth - 1] : undefined,
        );
        const faulty = { ...own, records };
        // Processes of their own, at the same time.
        const outcomes = await Promise.all(
          groups.map((group, process) =>
            commitTogether(
              faulty,
              'demo',
              group.map(({ name, by }, place) =>
                counting(own, name, { by, actor: `${process}/${place}` }),
              ),
            ),
          ),
        );
        const entries = await checkedCounters(own.records);
        const byActor = new Map(entries.map((entry) => [entry.actor, entry]));
        expect(byActor.size).toBe(entries.length);
        outcomes.forEach((group, process) =>
          group.forEach((outcome, place) =>
            expectTold(outcome, byActor.get(`${process}/${place}`)?.after),
          ),
        );
      }),
      { numRuns: 150 },
    );
  });

  function expectTold(outcome: PromiseSettledResult<Counted>, after: unknown): void {
    if (outcome.status === 'fulfilled') expect(after).toMatchObject({ value: outcome.value.value });
    else if (after !== undefined) expect(outcome.reason).toBeInstanceOf(Unavailable);
    else {
      const { reason } = outcome as { reason: unknown };
      expect(reason).toSatisfy((e) => e instanceof Unavailable || e instanceof Conflict);
    }
  }

  it.each(['not-written', 'written-but-failed'] as const)(
    'does each change once, any call of the store %s',
    async (fault) => {
      for (let failsAt = 1; ; failsAt++) {
        const own = coreDeps();
        await commitTogether(own, 'demo', [counting(own, 'a')]);
        let call = 0;
        let failed = '';
        const records = faultyRecords(own.records, ({ method }) => {
          call += 1;
          if (call !== failsAt) return undefined;
          failed = method;
          return fault;
        });
        const faulty = { ...own, records };
        const asked = ['a', 'b', 'a', 'c'].map((name) => counting(faulty, name));
        const outcomes = await commitTogether(faulty, 'demo', asked);
        const entries = await checkedCounters(own.records);
        const done = outcomes.filter(({ status }) => status === 'fulfilled');
        expect(entries).toHaveLength(1 + done.length);
        // A commit is sent again here; a failed read is told to whom it was for.
        if (failed !== 'get') expect(done).toHaveLength(4);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Unavailable);
        }
        if (failed === '') {
          expect(failsAt).toBeGreaterThan(8);
          break;
        }
      }
    },
  );
});
