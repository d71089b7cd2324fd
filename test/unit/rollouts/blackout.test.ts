import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../src/core/policies/channel-settings.ts';
import { putSettings } from '../../../src/core/policies/put-settings.ts';
import { publishOrStage } from '../../../src/core/rollouts/stage-rule.ts';
import type { RunRecord, StageName } from '../../../src/core/rollouts/run-record.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
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

const quick = { percent: 100, allowSilent: true };
const isHeld = (name: StageName) => (run: RunRecord) =>
  run.stages.some((stage) => stage.name === name && stage.status === 'held');
const stage = ({ stages }: RunRecord, wanted: StageName) =>
  stages.find(({ name }) => name === wanted);

/** What the background does, once a minute. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    await desk.clock.advance(60_000);
    await desk.sweep();
  }
}

async function held(name: 'canary' | 'rollout'): Promise<number> {
  if (name === 'canary') await freeze(desk, true);
  const { run } = await story.create(['a', 'b'], '2.0.0', {
    canary: {
      scope: null,
      observeSeconds: 60,
      maxNewAlerts: 2,
      minDecisions: 10,
      quorum: null,
      ...quick,
    },
  });
  if (name === 'rollout') {
    await desk.until(run, isTried);
    await freeze(desk, true);
  }
  await desk.until(run, isHeld(name), 90);
  return run;
}

describe('a blackout', () => {
  it('keeps a run from its canary, and says why', async () => {
    const run = await held('canary');
    expect(stage(await desk.run(run), 'canary')).toMatchObject({
      status: 'held',
      detail: 'held by a blackout window: freeze',
    });
    await minutes(60);
    expect((await desk.run(run)).status).toBe('canary');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    const entries = await story.consistent();
    expect(entries.filter(({ action }) => action === 'run.held')).toMatchObject([
      { reason: 'freeze', actor: 'hms-svc' },
    ]);
    await freeze(desk, false);
    await desk.until(run, isTried, 900);
  });

  it('keeps a canary from everyone, and its audience on the new rule', async () => {
    const run = await held('rollout');
    expect(stage(await desk.run(run), 'rollout')?.detail).toContain('freeze');
    await minutes(60);
    expect((await desk.run(run)).status).toBe('rolling-out');
    expect(await story.versions('a', 'b')).toEqual(['2.0.0', '2.0.0']);
    expect(await story.version('a', null)).toBe('1.0.0');
    await freeze(desk, false);
    expect((await desk.until(run, hasEnded, 900)).status).toBe('succeeded');
    expect(await story.version('a', null)).toBe('2.0.0');
  });

  it('ends by itself, on the clocks of its time zone', async () => {
    const blackouts = [
      // 2026-01-01 is a Thursday; midnight UTC is 19:00 of Wednesday in New York.
      {
        days: ['wed'],
        from: '18:00',
        to: '20:00',
        timeZone: 'America/New_York',
        reason: 'rush hour',
      },
    ] as const;
    await putSettings(desk.deps, desk.origin(), 'prod', { ...defaultSettings, blackouts }, null);
    const { run } = await story.create(['a'], '2.0.0', { canary: null });
    await desk.until(run, isHeld('rollout'));
    await desk.clock.advance(59 * 60_000);
    expect((await desk.run(run)).status).toBe('rolling-out');
    await desk.clock.advance(60_000);
    const record = await desk.until(run, hasEnded, 5);
    expect(record.status).toBe('succeeded');
    expect(stage(record, 'rollout')).toMatchObject({ detail: 'in force for everyone' });
  });

  it('that has another reason meanwhile says so', async () => {
    const run = await held('canary');
    const window = { since: '2025-01-01T00:00:00Z', until: '2030-01-01T00:00:00Z' };
    const blackouts = [{ ...window, reason: 'audit' }];
    await putSettings(desk.deps, desk.origin(), 'prod', { ...defaultSettings, blackouts }, null);
    await desk.clock.advance(900_000);
    expect(stage(await desk.run(run), 'canary')?.detail).toContain('audit');
  });

  it('makes a published rule wait in a run', async () => {
    await freeze(desk, true);
    const publication = story.publication('a', '3.0.0');
    const staged = await publishOrStage(desk.deps, desk.origin('pat'), publication, false);
    expect(staged).toMatchObject({ status: 'queued' });
    await desk.until(1, isHeld('rollout'));
    await freeze(desk, false);
    await desk.until(1, hasEnded, 900);
    expect(await story.version('a')).toBe('3.0.0');
  });
});

describe('a blackout never holds', () => {
  it.each(['canary', 'rollout'] as const)('an abort of a run whose %s it holds', async (name) => {
    const run = await held(name);
    expect((await story.abort(run)).status).toBe('aborted');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  });

  it('a rollback', async () => {
    await story.publish('b', '1.5.0');
    const run = await held('rollout');
    await story.rollback('a');
    await story.rollback('b', '1.0.0');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    expect((await desk.until(run, hasEnded, 900)).status).toBe('aborted');
  });

  it('the restore of a canary that fails in it', async () => {
    const run = await story.canary(['a', 'b'], '2.0.0', { percent: 100, observeSeconds: 3600 });
    await freeze(desk, true);
    await harm(run);
    await desk.clock.advance(30_000);
    expect((await desk.run(run)).status).toBe('failed');
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
  });

  it('the restore of a canary that it keeps from everyone, when that harms after all', async () => {
    const run = await held('rollout');
    await harm(run);
    await minutes(1);
    expect(await desk.run(run)).toMatchObject({
      status: 'failed',
      progress: { verdict: { kind: 'fail', method: 'alerts' } },
      ticket: `run-${run}-review`,
    });
    expect(await story.versions('a', 'b')).toEqual(['1.0.0', '1.0.0']);
    await freeze(desk, false);
    await minutes(20);
    expect((await desk.run(run)).status).toBe('failed');
  });

  it('the process itself from seeing that harm', async () => {
    const run = await held('rollout');
    await desk.clock.advance(60_000);
    await harm(run);
    await desk.clock.advance(900_000);
    expect((await desk.run(run)).status).toBe('failed');
  });
});

async function harm(run: number): Promise<void> {
  const { snapshot = '' } = (await desk.run(run)).policies[0] ?? {};
  const reports = new CanaryReports(desk, 'a');
  for (const name of ['smoke', 'fire']) await reports.alert(snapshot, name);
}
