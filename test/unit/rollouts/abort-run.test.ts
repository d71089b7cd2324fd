import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDeliveries } from '../../../src/core/partners/deliveries.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import type { RunRecord, StageName } from '../../../src/core/rollouts/run-record.ts';
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

const stageOf = ({ stages }: RunRecord, name: StageName) =>
  stages.find((stage) => stage.name === name)?.status;
const isNotifying = ({ status }: RunRecord) => status === 'notifying';

/** A task that never gets through, so that the run stays where it is. */
function stopBefore(task: string): void {
  desk.beforeTask = (name) => {
    if (name === task) throw Object.assign(new Error('not yet'), { name: 'Unavailable' });
  };
}

/** A partner whom nobody reaches: its run is telling it for a day. */
async function deafPartner(): Promise<readonly string[]> {
  desk.answer = () => ({ outcome: 'failed', detail: 'no answer' });
  await putPartner(desk.deps, desk.origin(), 'state', {
    target: { kind: 'email', to: ['air@state.example'] },
  });
  return ['state'];
}

async function expectAborted(run: number): Promise<void> {
  const aborted = await story.abort(run, 'smells');
  expect(aborted).toMatchObject({ status: 'aborted', outcome: 'ops aborted it: smells' });
  expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  expect(await story.abort(run, null, 'eve')).toEqual(aborted);
  desk.beforeTask = () => undefined;
  await desk.clock.advance(3_600_000);
  await desk.sweep();
  await desk.settle();
  expect(await desk.run(run)).toEqual(aborted);
  expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  const next = await story.create(['a', 'b'], '3.0.0', { canary: null });
  expect(next.waitsFor).toBeNull();
  await desk.until(next.run, hasEnded);
  expect(await story.versions('a', 'b')).toEqual(['3.0.0', '3.0.0']);
}

describe('an abort', () => {
  it.each([
    ['queued', 'lint'],
    ['simulating', 'plan-simulation'],
    ['canary', 'start-canary'],
    ['canary', 'observe-canary'],
  ])('works when a run is %s, before %s', async (status, task) => {
    stopBefore(task);
    const { run } = await story.create(['a', 'b'], '2.0.0');
    await desk.until(run, (record) => record.status === status && desk.began.includes(task));
    await expectAborted(run);
  });

  it('works before the release', async () => {
    stopBefore('release-rules');
    const { run } = await story.create(['a', 'b'], '2.0.0', { canary: null });
    await desk.until(run, ({ status }) => status === 'rolling-out');
    await expectAborted(run);
  });

  it('works while people are asked', async () => {
    const { run } = await story.create(['a', 'b'], '2.0.0', { approvals: 2 });
    await desk.until(run, ({ ticket }) => ticket !== null);
    await expectAborted(run);
  });

  it('works while a review is asked for', async () => {
    const run = await story.canary(['a', 'b'], '2.0.0');
    await desk.until(run, ({ ticket }) => ticket !== null);
    await expectAborted(run);
  });

  it('works while the run waits for another', async () => {
    const first = await story.canary(['a'], '2.0.0', { percent: 100, observeSeconds: 7200 });
    const { run } = await story.create(['a', 'b'], '3.0.0');
    expect(await story.abort(run)).toMatchObject({ status: 'aborted' });
    await story.abort(first);
    await desk.clock.advance(60_000);
    expect((await desk.run(run)).status).toBe('aborted');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  });

  it.each(['canary', 'rollout'] as const)(
    'is not held by a blackout, as the %s is',
    async (stage) => {
      if (stage === 'canary') await freeze(desk, true);
      const plan = { observeSeconds: 1, percent: 100, allowSilent: true, minDecisions: 0 };
      const canary = { scope: null, maxNewAlerts: 2, quorum: null, ...plan };
      const { run } = await story.create(['a', 'b'], '2.0.0', { canary });
      if (stage === 'rollout') {
        await desk.until(run, isTried);
        await freeze(desk, true);
      }
      await desk.until(run, (record) => stageOf(record, stage) === 'held');
      const aborted = await story.abort(run);
      expect(aborted.status).toBe('aborted');
      expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    },
  );

  it('of one that has succeeded changes nothing', async () => {
    const { run } = await story.create(['a'], '2.0.0', { canary: null });
    const record = await desk.until(run, hasEnded);
    expect(await story.abort(run)).toEqual(record);
    expect(await story.version('a')).toBe('2.0.0');
  });
});

describe('an abort while partners are told', () => {
  it('takes the release back: a higher gen with the old digest', async () => {
    const request = { canary: null, partners: await deafPartner() };
    const before = await story.record('a');
    const { run } = await story.create(['a', 'b'], '2.0.0', request);
    await desk.until(run, isNotifying);
    await story.abort(run);
    const after = await story.record('a');
    expect(after?.current?.digest).toBe(before?.current?.digest);
    expect(after?.gen).toBe((before?.gen ?? 0) + 2);
    expect(await desk.run(run)).toMatchObject({ status: 'aborted', releasedAtMs: null });
    const deliveries = await listDeliveries(desk.deps, desk.tenant, run);
    expect(deliveries.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'released collapsed',
    ]);
  });

  it('is refused when a rule has moved on since, and says what to do', async () => {
    const request = { canary: null, partners: await deafPartner() };
    const { run } = await story.create(['a', 'b'], '2.0.0', request);
    await desk.until(run, isNotifying);
    await story.publish('b', '2.5.0');
    await expect(story.abort(run)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('roll back each by itself') as string,
    });
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.5.0']);
  });

  it.each(['while it waits', 'once it is in force', 'once that is journaled'])(
    'takes back a rule that takes effect later, %s',
    async (moment) => {
      const request = { canary: null, partners: await deafPartner() };
      const effective = new Date(desk.clock.nowMs() + 7_200_000).toISOString();
      const policies = [];
      for (const id of ['a', 'b']) {
        policies.push({ id, snapshot: await story.store(id, '2.0.0', { effective }) });
      }
      const { run } = await desk.create(policies, request);
      await desk.until(run, isNotifying);
      expect((await story.record('a'))?.next?.version).toBe('2.0.0');
      if (moment !== 'while it waits') desk.clock.set(Date.parse(effective));
      if (moment === 'once that is journaled') await activateDue(desk.deps);
      expect((await story.abort(run)).status).toBe('aborted');
      desk.clock.set(Date.parse(effective) + 1000);
      await activateDue(desk.deps);
      expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    },
  );

  it('of a rule that waits keeps the places to go back to', async () => {
    for (const version of ['2.0.0', '1.0.0']) await story.publish('a', version);
    const earlier = (await story.record('a'))?.earlier.map(({ version }) => version);
    expect(earlier).toEqual(['2.0.0', '1.0.0']);
    const request = { canary: null, partners: await deafPartner() };
    const effective = new Date(desk.clock.nowMs() + 7_200_000).toISOString();
    const snapshot = await story.store('a', '3.0.0', { effective });
    const { run } = await desk.create([{ id: 'a', snapshot }], request);
    await desk.until(run, isNotifying);
    await story.abort(run);
    const after = await story.record('a');
    expect(after?.next).toBeNull();
    expect(after?.earlier.map(({ version }) => version)).toEqual(earlier);
  });

  it('tells those who had been told, and nobody of what stays', async () => {
    await putPartner(desk.deps, desk.origin(), 'state', {
      target: { kind: 'email', to: ['air@state.example'] },
    });
    const slow = { kind: 'webhook', url: 'https://slow.example/' } as const;
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await putPartner(desk.deps, desk.origin(), 'slow', { target: slow, secret });
    desk.answer = (to) =>
      to === 'email'
        ? { outcome: 'delivered', detail: '250' }
        : { outcome: 'failed', detail: 'no answer' };
    const snapshot = await story.store('new', '1.0.0');
    const request = { canary: null, partners: ['state', 'slow'] };
    const { run } = await desk.create([{ id: 'new', snapshot }], request);
    await desk.until(run, () => desk.sent.length >= 2, 10);
    const aborted = await story.abort(run);
    expect(aborted).toMatchObject({
      status: 'aborted',
      outcome: 'ops aborted it. (new had no rule before, and keeps this one)',
    });
    expect(await story.version('new')).toBe('1.0.0');
    await desk.sweep();
    const told = desk.sent.map(({ notice }) => notice.type);
    expect(told).not.toContain('policy.restored');
  });
});
