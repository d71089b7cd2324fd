import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { promoteOrStage, publishOrStage } from '../../../src/core/rollouts/stage-rule.ts';
import { putSettings } from '../../../src/core/policies/put-settings.ts';
import { defaultSettings } from '../../../src/core/policies/channel-settings.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
import { quickCanary, RolloutDesk } from '../../support/rollout-desk.ts';
import { freeze } from './freeze.ts';
import { hasEnded, isTried, RolloutStory } from './rollout-story.ts';

let desk: RolloutDesk;
let story: RolloutStory;

beforeEach(async () => {
  desk = new RolloutDesk();
  story = new RolloutStory(desk);
  await story.inForce('a', 'b', 'c');
});
afterEach(async () => {
  await story.consistent();
  await desk.close();
});

const patient = { ...quickCanary, percent: 100, observeSeconds: 3600 };
const status = async (run: number) => (await desk.run(run)).status;
const statuses = async (...runs: readonly number[]) => Promise.all(runs.map(status));

describe('a newer run', () => {
  it('supersedes one that waits for its approval', async () => {
    const first = await story.create(['a'], '2.0.0', { approvals: 1 });
    await desk.until(first.run, ({ ticket }) => ticket !== null);
    const second = await story.create(['a'], '3.0.0', { canary: null });
    expect(second.waitsFor).toBe(first.run);
    await desk.until(second.run, hasEnded);
    expect(await desk.run(first.run)).toMatchObject({
      status: 'superseded',
      outcome: `Run ${second.run} is newer.`,
    });
    expect(await story.version('a')).toBe('3.0.0');
  });

  it('supersedes one that a blackout keeps from its canary', async () => {
    await freeze(desk, true);
    const first = await story.create(['a'], '2.0.0');
    await desk.settle();
    expect(await status(first.run)).toBe('canary');
    const second = await story.create(['a'], '3.0.0');
    expect(await statuses(first.run, second.run)).toEqual(['superseded', 'queued']);
  });

  it('waits for a canary, and starts when that has passed', async () => {
    const first = await story.canary(['a'], '2.0.0', { percent: 100, allowSilent: true });
    const second = await story.create(['a'], '3.0.0', { canary: null });
    expect(second).toMatchObject({ status: 'queued', waitsFor: first });
    await desk.clock.advance(30_000);
    expect(await statuses(first, second.run)).toEqual(['canary', 'queued']);
    await desk.until(second.run, hasEnded, 90);
    expect(await statuses(first, second.run)).toEqual(['succeeded', 'succeeded']);
    expect(await story.version('a')).toBe('3.0.0');
    expect((await story.record('a'))?.earlier.map(({ version }) => version)).toEqual([
      '2.0.0',
      '1.0.0',
    ]);
  });

  it('starts when the canary has failed', async () => {
    const first = await story.canary(['a'], '2.0.0');
    const second = await story.create(['a'], '3.0.0', { canary: null });
    const reports = new CanaryReports(desk, 'a');
    const { snapshot } = (await desk.run(first)).policies[0] ?? { snapshot: '' };
    await reports.alert(snapshot, 'smoke');
    await reports.alert(snapshot, 'fire');
    await desk.until(second.run, hasEnded, 10);
    expect(await statuses(first, second.run)).toEqual(['failed', 'succeeded']);
  });

  it('starts when the canary was aborted', async () => {
    const first = await story.canary(['a'], '2.0.0');
    const second = await story.create(['a'], '3.0.0', { canary: null });
    await story.abort(first);
    await desk.until(second.run, hasEnded, 2);
    expect(await statuses(first, second.run)).toEqual(['aborted', 'succeeded']);
    expect((await story.record('a'))?.earlier.map(({ version }) => version)).toEqual(['1.0.0']);
  });

  it('waits for a review, which is part of the canary', async () => {
    const first = await story.canary(['a'], '2.0.0');
    await desk.until(first, ({ status: now }) => now === 'approving', 300);
    const second = await story.create(['a'], '3.0.0', { canary: null });
    expect(await statuses(first, second.run)).toEqual(['approving', 'queued']);
    await desk.clock.advance(24 * 3_600_000);
    await desk.sweep();
    await desk.until(second.run, hasEnded, 2);
    expect(await statuses(first, second.run)).toEqual(['expired', 'succeeded']);
  });

  it('takes the place of the one that waits: the newest wins', async () => {
    const first = await story.canary(['a'], '2.0.0');
    const waits = await story.create(['a'], '3.0.0', { canary: null });
    const newest = await story.create(['a'], '4.0.0', { canary: null });
    expect(await desk.run(waits.run)).toMatchObject({
      status: 'superseded',
      outcome: `Run ${newest.run} took its place in the queue.`,
    });
    await story.abort(first);
    await desk.until(newest.run, hasEnded, 2);
    expect(await story.version('a')).toBe('4.0.0');
  });

  it('may come while the partners of the one before are told', async () => {
    const first = await story.create(['a'], '2.0.0', { canary: null });
    await desk.until(first.run, hasEnded);
    const second = await story.create(['a'], '3.0.0', { canary: null });
    expect(second.waitsFor).toBeNull();
  });
});

describe('bundles that overlap', () => {
  it('wait for every lane, and hold none meanwhile', async () => {
    const first = await story.canary(['a', 'b'], '2.0.0', patient);
    const both = await story.create(['b', 'c'], '3.0.0', { canary: null });
    expect(await status(both.run)).toBe('queued');
    await story.abort(first);
    await desk.until(both.run, hasEnded, 2);
    expect(await story.versions('a', 'b', 'c')).toEqual(['1.0.0', '3.0.0', '3.0.0']);
  });

  it('supersede whom they may, and wait for the rest', async () => {
    const canary = await story.canary(['a'], '2.0.0', patient);
    const early = await story.create(['b'], '2.0.0', { approvals: 1 });
    await desk.until(early.run, ({ ticket }) => ticket !== null);
    const both = await story.create(['a', 'b'], '3.0.0', { canary: null });
    expect(await statuses(canary, early.run, both.run)).toEqual(['canary', 'superseded', 'queued']);
    expect((await desk.run(both.run)).waitsFor).toBe(canary);
    await story.abort(canary);
    await desk.until(both.run, hasEnded, 2);
    expect(await story.versions('a', 'b')).toEqual(['3.0.0', '3.0.0']);
  });

  it('lose their place as a whole to a newer one about any of their lanes', async () => {
    const canary = await story.canary(['a'], '2.0.0', patient);
    const both = await story.create(['a', 'b'], '3.0.0', { canary: null });
    const one = await story.create(['b'], '4.0.0', { canary: null });
    expect(one.waitsFor).toBeNull();
    await desk.until(one.run, hasEnded);
    expect(await statuses(canary, both.run, one.run)).toEqual([
      'canary',
      'superseded',
      'succeeded',
    ]);
  });

  it('that wait for two canaries start after the second', async () => {
    const one = await story.canary(['a'], '2.0.0', patient);
    const two = await story.canary(['b'], '2.0.0', patient);
    const both = await story.create(['a', 'b'], '3.0.0', { canary: null });
    await story.abort(one);
    await desk.settle();
    expect(await desk.run(both.run)).toMatchObject({ status: 'queued', waitsFor: two });
    await story.abort(two);
    await desk.until(both.run, hasEnded, 2);
    expect(await story.versions('a', 'b')).toEqual(['3.0.0', '3.0.0']);
  });
});

describe('a hotfix', () => {
  it('ends a canary, and starts from the last stable rule', async () => {
    const first = await story.canary(['a', 'b'], '2.0.0', patient);
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
    const fix = await story.create(['a'], '1.0.1', { hotfix: true, reason: 'leak', canary: null });
    expect(await desk.run(first)).toMatchObject({
      status: 'aborted',
      outcome: `The hotfix of run ${fix.run} ended it: leak`,
    });
    const { policies } = await desk.until(fix.run, hasEnded, 2);
    expect(policies[0]?.base?.rule?.version).toBe('1.0.0');
    expect(await story.versions('a', 'b')).toEqual(['1.0.1', '1.0.0']);
    expect((await story.record('a'))?.earlier.map(({ version }) => version)).toEqual(['1.0.0']);
  });

  it('goes before whoever waits', async () => {
    const first = await story.canary(['a'], '2.0.0', patient);
    const waits = await story.create(['a'], '3.0.0');
    const fix = await story.create(['a'], '1.0.1', { hotfix: true, reason: 'leak', canary: null });
    await desk.until(fix.run, hasEnded, 2);
    expect(await statuses(first, waits.run, fix.run)).toEqual([
      'aborted',
      'superseded',
      'succeeded',
    ]);
  });

  it('needs a reason', async () => {
    await expect(story.create(['a'], '1.0.1', { hotfix: true })).rejects.toMatchObject({
      name: 'Forbidden',
    });
  });
});

describe('a rule that is published or promoted', () => {
  it('during a canary is queued, and never refused', async () => {
    const first = await story.canary(['a'], '2.0.0', { percent: 100, allowSilent: true });
    const origin = desk.origin('pat');
    const publication = story.publication('a', '3.0.0');
    const published = await publishOrStage(desk.deps, origin, publication, false);
    expect(published).toMatchObject({ status: 'queued', waitsFor: first });
    const lane = { ...story.lane('a'), channel: 'test' } as const;
    await publishPolicy(desk.deps, origin, { ...story.publication('a', '4.0.0'), lane });
    const promotion = { from: 'test', to: story.lane('a'), guard: null, reason: null } as const;
    const promoted = await promoteOrStage(desk.deps, origin, promotion);
    expect(promoted).toMatchObject({ status: 'queued', waitsFor: first });
    await desk.clock.advance(70_000);
    await desk.settle();
    expect(await statuses(1, 2, 3)).toEqual(['succeeded', 'superseded', 'succeeded']);
    expect(await story.version('a')).toBe('4.0.0');
  });

  it('to a staged channel becomes a run', async () => {
    const settings = { ...defaultSettings, staged: true };
    await putSettings(desk.deps, desk.origin(), 'prod', settings, null);
    const publication = story.publication('a', '3.0.0');
    const staged = await publishOrStage(desk.deps, desk.origin(), publication, false);
    expect(staged).toMatchObject({ status: 'queued', run: 1, waitsFor: null });
    expect(await story.version('a')).toBe('1.0.0');
    await desk.until(1, hasEnded);
    expect(await story.version('a')).toBe('3.0.0');
  });

  it('straight into force while a blackout keeps the canary makes the run superseded', async () => {
    await freeze(desk, true);
    const first = await story.create(['a', 'b'], '2.0.0');
    await desk.settle();
    await freeze(desk, false);
    await story.publish('b', '1.5.0');
    const record = await desk.until(first.run, hasEnded, 1000);
    expect(record).toMatchObject({
      status: 'superseded',
      outcome: 'b was changed by somebody else.',
    });
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.5.0']);
  });
});

describe('a rollback during a canary', () => {
  it('ends it for every member of a bundle', async () => {
    const first = await story.canary(['a', 'b', 'c'], '2.0.0', patient);
    await story.rollback('b');
    expect(await story.version('b')).toBe('1.0.0');
    const record = await desk.until(first, hasEnded, 35);
    expect(record).toMatchObject({ status: 'aborted', outcome: 'b was rolled back by somebody.' });
    expect(await story.versions('a', 'b', 'c')).toEqual(['1.0.0', '1.0.0', '1.0.0']);
    for (const id of ['a', 'b', 'c']) expect((await story.record(id))?.canary).toBeUndefined();
  });

  it('lets whoever waits start', async () => {
    await story.canary(['a', 'b'], '2.0.0', patient);
    const second = await story.create(['a'], '3.0.0', { canary: patient });
    await story.rollback('b');
    await desk.until(second.run, isTried, 35);
    expect(await story.versions('a', 'b')).toEqual(['3.0.0', '1.0.0']);
  });
});
