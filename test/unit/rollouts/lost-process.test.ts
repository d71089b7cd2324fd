import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { reconcileRuns } from '../../../src/core/rollouts/reconcile-runs.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { decideTicket, listTickets } from '../../../src/core/rollouts/tickets.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';
import { freeze } from './freeze.ts';
import { hasEnded, isTried, RolloutStory } from './rollout-story.ts';

let desk: RolloutDesk;
let story: RolloutStory;

beforeEach(async () => {
  desk = new RolloutDesk();
  story = new RolloutStory(desk);
  await story.inForce('a', 'b');
});
afterEach(async () => {
  await story.consistent();
  await desk.close();
});

/** What the reconciler does while the engine says this of every process. */
async function sweepWith(state: 'ended' | 'running' | 'unknown'): Promise<string[]> {
  const started: string[] = [];
  const workflows = {
    ...desk.deps.workflows,
    start: async (name: string) => void started.push(name),
    status: async () => state,
  };
  await reconcileRuns({ ...desk.deps, workflows });
  return started;
}

const tickets = async () => (await listTickets(desk.deps, desk.tenant, undefined, 10)).items;
const isAsking = ({ status, ticket }: RunRecord) => status === 'approving' && ticket !== null;

describe('a run whose process has ended', () => {
  it('is closed as failed, with a ticket, and its readers are on the old rule', async () => {
    const run = await story.canary(['a', 'b'], '2.0.0', { percent: 100, observeSeconds: 3600 });
    await desk.clock.advance(15_000);
    await sweepWith('ended');
    expect(await desk.run(run)).toMatchObject({
      status: 'failed',
      outcome: 'Its process stopped before it was through. Nothing stays changed.',
      ticket: `run-${run}-review`,
    });
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    expect(await tickets()).toMatchObject([{ status: 'open', choices: ['close'], run }]);
    expect(desk.deps.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'run lost its process' }),
    );
  });

  it('is left alone for a moment: it may just be noting its end', async () => {
    const run = await story.canary(['a'], '2.0.0');
    await sweepWith('ended');
    expect((await desk.run(run)).status).toBe('canary');
  });

  it('before it had begun is closed, too', async () => {
    desk.beforeTask = () => {
      throw new Error('the first task breaks');
    };
    const { run } = await story.create(['a'], '2.0.0');
    await desk.settle();
    expect((await desk.run(run)).status).toBe('queued');
    await desk.clock.advance(15_000);
    await desk.sweep();
    expect(await desk.run(run)).toMatchObject({ status: 'failed', ticket: `run-${run}-review` });
  });

  it('leaves no question to people that nobody can answer', async () => {
    const { run } = await story.create(['a'], '2.0.0', { approvals: 1 });
    await desk.until(run, isAsking);
    await desk.clock.advance(15_000);
    await sweepWith('ended');
    expect((await desk.run(run)).status).toBe('failed');
    expect((await tickets()).map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'review open',
      'approval void',
    ]);
  });

  it('lets go of its lanes', async () => {
    const run = await story.canary(['a'], '2.0.0', { percent: 100, observeSeconds: 3600 });
    const next = await story.create(['a'], '3.0.0', { canary: null });
    expect(next.waitsFor).toBe(run);
    await desk.clock.advance(15_000);
    await reconcileRuns({
      ...desk.deps,
      workflows: {
        ...desk.deps.workflows,
        status: async (name) =>
          name.endsWith(`-${run}`) ? 'ended' : desk.deps.workflows.status(name),
      },
    });
    expect((await desk.until(next.run, hasEnded)).status).toBe('succeeded');
    expect(await story.version('a')).toBe('3.0.0');
  });

  it('after the release has succeeded, and its partners are told all the same', async () => {
    await putPartner(desk.deps, desk.origin(), 'state', {
      target: { kind: 'email', to: ['air@state.example'] },
    });
    desk.beforeTask = (task) => {
      if (task === 'notify-partners') throw new Error('the last task breaks');
    };
    const { run } = await story.create(['a'], '2.0.0', { canary: null, partners: ['state'] });
    await desk.until(run, ({ status }) => status === 'notifying');
    await desk.clock.advance(15_000);
    await desk.sweep();
    expect(await desk.run(run)).toMatchObject({ status: 'succeeded' });
    expect(desk.sent).toHaveLength(1);
    await desk.clock.advance(3_600_000);
    await desk.sweep();
    expect(desk.sent).toHaveLength(1);
  });
});

describe('a run that the engine has forgotten', () => {
  it.each([
    ['queued', async () => story.create(['a'], '2.0.0')],
    ['in its canary', async () => ({ run: await story.canary(['a'], '2.0.0') })],
  ])('%s is driven again', async (_, make) => {
    const { run } = await make();
    expect(await sweepWith('unknown')).toEqual([`demo-run-${run}`]);
  });

  it('is not started while it waits for another', async () => {
    await story.canary(['a'], '2.0.0', { percent: 100, observeSeconds: 3600 });
    await story.create(['a'], '3.0.0');
    expect(await sweepWith('unknown')).toEqual(['demo-run-1']);
  });

  it('goes on with a fresh window and the same audience', async () => {
    const plan = { percent: 50, observeSeconds: 60, allowSilent: true };
    const run = await story.canary(['a', 'b'], '2.0.0', plan);
    const before = await story.record('a');
    await desk.clock.advance(50_000);
    await desk.kill();
    await desk.sweep();
    await desk.until(
      run,
      ({ progress }) => (progress?.startedAtMs ?? 0) > desk.clock.nowMs() - 5000,
    );
    expect((await story.record('a'))?.canary?.salt).toBe(before?.canary?.salt);
    await desk.clock.advance(50_000);
    expect((await desk.run(run)).status).toBe('canary');
    expect((await desk.until(run, hasEnded, 30)).status).toBe('succeeded');
  });
});

describe('a decision whose news were lost', () => {
  it.each([
    ['approval', { approvals: 1 }, {}],
    ['review', { approvals: 0 }, {}],
  ])('reaches the process with the next sweep: %s', async (kind, request) => {
    const { run } = await story.create(['a'], '2.0.0', request);
    await desk.until(run, isAsking, 400);
    const workflows = {
      ...desk.deps.workflows,
      signal: () => Promise.reject(new Error('no answer')),
    };
    const answer = { decision: 'approve', reason: null } as const;
    await decideTicket(
      { ...desk.deps, workflows },
      desk.origin('eve'),
      `run-${run}-${kind}`,
      answer,
    );
    await desk.clock.advance(60_000);
    const { status } = await desk.run(run);
    expect(status).toBe(kind === 'approval' ? 'canary' : 'rolling-out');
    await desk.sweep();
    await desk.until(run, kind === 'approval' ? isTried : hasEnded, 10);
  });
});

describe('a canary that a blackout keeps from everyone', () => {
  it('stays with its audience as long as the reconciler looks', async () => {
    const run = await story.canary(['a', 'b'], '2.0.0', { percent: 100, allowSilent: true });
    await freeze(desk, true);
    await desk.until(run, ({ stages }) => stages.some(({ status }) => status === 'held'));
    for (let minutes = 0; minutes < 30; minutes++) {
      await desk.clock.advance(60_000);
      await desk.sweep();
      expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
      await story.consistent();
    }
    await freeze(desk, false);
    expect((await desk.until(run, hasEnded, 1000)).status).toBe('succeeded');
  });
});
