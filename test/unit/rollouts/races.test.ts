import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { createRun } from '../../../src/core/rollouts/create-run.ts';
import { makeTasks } from '../../../src/core/rollouts/make-tasks.ts';
import { reconcileRuns } from '../../../src/core/rollouts/reconcile-runs.ts';
import { releaseRules } from '../../../src/core/rollouts/tasks/release-rules.ts';
import { SleeplessClock } from '../../support/core-deps.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';
import { freeze } from './freeze.ts';
import { RolloutStory } from './rollout-story.ts';

const calls = { get: true, getMany: true, query: true, commit: true } as const;

/** A desk whose store answers in the order that a scheduler picks, once it races. */
class Race {
  readonly desk: RolloutDesk;
  readonly story: RolloutStory;
  readonly #scheduler: fc.Scheduler;
  readonly #clock = new SleeplessClock();

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler;
    this.desk = new RolloutDesk({ records: memoryRecords(this.#clock) });
    this.story = new RolloutStory(this.desk);
  }

  /** Deps of which each call of the store waits for its turn. */
  get deps(): RolloutDesk['deps'] {
    const turn = (method: string, _: unknown, call: () => unknown) =>
      this.#scheduler.schedule(Promise.resolve(), method).then(call);
    const records = interceptMethods(this.desk.deps.records, calls, turn);
    this.#clock.set(this.desk.clock.nowMs());
    return { ...this.desk.deps, records, clock: this.#clock };
  }

  /** All at once. Errors that ask the caller to repeat the call are no outcome. */
  async all(works: readonly (() => Promise<unknown>)[]): Promise<void> {
    const tame = (error: unknown): void => {
      if (!(error instanceof AppError && error.code === 'conflict')) throw error;
    };
    const racing = works.map((work) => work().catch(tame));
    await this.#scheduler.waitFor(Promise.all(racing));
  }

  async versions(): Promise<string[]> {
    return this.story.versions('a', 'b');
  }
}

/** A run about `a` and `b` that has passed its canary and is free to be released. */
async function readyRun({ desk, story }: Race, partners: readonly string[] = []): Promise<number> {
  await story.inForce('a', 'b');
  const plan = { percent: 100, allowSilent: true };
  const run = await story.canary(['a', 'b'], '2.0.0', plan, { partners });
  await freeze(desk, true);
  await desk.until(run, ({ stages }) => stages.some(({ status }) => status === 'held'));
  await freeze(desk, false);
  return run;
}

const repeat = (count: number, work: () => Promise<unknown>) =>
  Array.from({ length: count }, () => work);

describe('at the same time', () => {
  it('20 aborts, releases and notices have one outcome, and the journal explains it', async () => {
    const outcomes = new Set<string>();
    const aborts = fc.constantFrom(1, 2, 3, 19);
    const property = fc.asyncProperty(fc.scheduler(), aborts, async (scheduler, count) => {
      const race = new Race(scheduler);
      const run = await readyRun(race);
      const { deps, desk, story } = race;
      const ref = { tenant: desk.tenant, run };
      const racing = new RolloutStory(desk, deps);
      const tasks = makeTasks(deps);
      const release = async (): Promise<unknown> => {
        await tasks['release-rules'](ref);
        return count === 2 ? null : tasks['notify-partners'](ref);
      };
      await race.all([...repeat(20 - count, release), ...repeat(count, () => racing.abort(run))]);
      const { status } = await desk.run(run);
      const expected = status === 'succeeded' ? '2.0.0' : '1.0.0';
      expect(await race.versions()).toEqual([expected, expected]);
      const entries = await story.consistent();
      const told = entries.filter(({ subject }) => subject === `run:${run}`);
      const times = (action: string) => told.filter((entry) => entry.action === action).length;
      expect(times('run.ended')).toBe(1);
      expect(times('run.released')).toBeLessThanOrEqual(1);
      outcomes.add(`${status} after ${times('run.released')} releases`);
      await desk.close();
    });
    await fc.assert(property, { seed: 3, numRuns: 60 });
    expect([...outcomes].sort((x, y) => (x < y ? -1 : 1))).toEqual([
      'aborted after 0 releases',
      'aborted after 1 releases',
      'succeeded after 1 releases',
    ]);
  });

  it('releases and a rollback of one member leave no mix', async () => {
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const race = new Race(scheduler);
      const run = await readyRun(race);
      const { deps, desk, story } = race;
      const racing = new RolloutStory(desk, deps);
      const ref = { tenant: desk.tenant, run };
      await race.all([
        () => releaseRules(deps, ref),
        () => racing.rollback('a', null),
        () => releaseRules(deps, ref),
      ]);
      const entries = await story.consistent();
      const [a, b] = await race.versions();
      const released = entries.some(({ action }) => action === 'run.released');
      // A rollback after the release is about one policy; before it, it ends the run for both.
      expect([a, b]).toEqual(['1.0.0', released ? '2.0.0' : '1.0.0']);
      expect((await desk.run(run)).status).toBe(released ? 'notifying' : 'aborted');
      await desk.close();
    });
    await fc.assert(property, { seed: 4, numRuns: 25 });
  });

  it('many new runs about overlapping policies leave one holder for each', async () => {
    const sets = [['a'], ['b'], ['a', 'b'], ['b', 'c'], ['c'], ['a', 'c'], ['a', 'b', 'c']];
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const race = new Race(scheduler);
      const { deps, desk, story } = race;
      await story.inForce('a', 'b', 'c');
      const named = new Map<string, string>();
      for (const id of ['a', 'b', 'c']) named.set(id, await story.store(id, '2.0.0'));
      const ask = (ids: readonly string[]) => {
        const policies = ids.map((id) => ({ id, snapshot: named.get(id) ?? '' }));
        const rest = { partners: [], approvals: 1, hotfix: false, reason: null } as const;
        return createRun(deps, desk.origin(), { policies, channel: 'prod', canary: null, ...rest });
      };
      await race.all([...sets.map((ids) => () => ask(ids)), () => reconcileRuns(deps)]);
      await reconcileRuns(desk.deps);
      await story.consistent();
      const open = [];
      for (let run = 1; run <= sets.length; run++) open.push(await desk.run(run));
      const held = open
        .filter(({ endedAt }) => endedAt === null)
        .flatMap(({ policies }) => policies);
      expect(new Set(held.map(({ id }) => id)).size).toBe(held.length);
      // The newest goes on, whatever happened to the others.
      expect(open.at(-1)?.status).not.toBe('superseded');
      await desk.close();
    });
    await fc.assert(property, { seed: 5, numRuns: 25 });
  });
});
