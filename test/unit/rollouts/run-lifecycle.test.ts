import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { inAudience } from '../../../src/core/policies/in-audience.ts';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import { readRule } from '../../../src/core/policies/read-rule.ts';
import { getRecord } from '../../../src/core/records.ts';
import { abortRun } from '../../../src/core/rollouts/abort-run.ts';
import { listTickets } from '../../../src/core/rollouts/tickets.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
import { quickCanary, RolloutDesk } from '../../support/rollout-desk.ts';

const id = 'epa-pm25-limit';
let desk: RolloutDesk;
let reports: CanaryReports;

beforeEach(() => {
  desk = new RolloutDesk();
  reports = new CanaryReports(desk, id);
});
afterEach(async () => {
  await desk.close();
});

const stages = ({ stages: all }: RunRecord) =>
  Object.fromEntries(all.map(({ name, status }) => [name, status]));
const ended = ({ endedAt }: RunRecord) => endedAt !== null;

async function snapshotOf(subject: string, region?: string): Promise<string> {
  const lane = { tenant: desk.tenant, id, channel: 'prod' } as const;
  return (await readRule(desk.deps, lane, { subject, region })).rule.snapshot;
}

/** Old and new rule, and a run that is observed. */
async function canary(plan: Partial<typeof quickCanary> = {}) {
  const old = await desk.inForce(id, { version: '1.0.0', limit: 35 });
  const next = await desk.store(id, { version: '2.0.0', limit: 25 });
  const { run } = await desk.create([{ id, snapshot: next }], {
    canary: { ...quickCanary, ...plan },
  });
  const record = await desk.until(run, ({ progress }) => progress !== null);
  return { old, next, run, record };
}

async function laneRecord() {
  return (await getRecord(desk.deps, channelKey(desk.tenant, id, 'prod')))?.value;
}

describe('a run without a canary', () => {
  it('goes through lint, simulation, rollout and notices, each with its times', async () => {
    const snapshot = await desk.store(id, { limit: 35 });
    const { run, status } = await desk.create([{ id, snapshot }], { canary: null });
    expect({ run, status }).toEqual({ run: 1, status: 'queued' });
    const record = await desk.until(run, ended);
    expect(record.status).toBe('succeeded');
    expect(stages(record)).toEqual({
      lint: 'passed',
      simulate: 'skipped',
      canary: 'skipped',
      rollout: 'passed',
      notify: 'skipped',
    });
    for (const { status: of, endedAt } of record.stages) {
      expect(of === 'passed' ? endedAt : null).toEqual(of === 'passed' ? expect.any(String) : null);
    }
    expect(await snapshotOf('anybody')).toBe(snapshot);
  });

  it('is rejected by lint, and changes nothing', async () => {
    const old = await desk.inForce(id, { version: '1.0.0', limit: 35, units: 'ug' });
    const next = await desk.store(id, { version: '1.0.1', limit: 25 });
    const { run } = await desk.create([{ id, snapshot: next }], { canary: null });
    const record = await desk.until(run, ended);
    expect(record.status).toBe('rejected');
    expect(record.lint?.findings[0]).toMatchObject({ pointer: '/units', severity: 'error' });
    expect(stages(record)).toMatchObject({ lint: 'failed', rollout: 'skipped' });
    expect(await snapshotOf('anybody')).toBe(old);
  });
});

describe('a canary', () => {
  it('gives the new rule to exactly its audience, and none of them flaps', async () => {
    const { old, next, record } = await canary({ percent: 20, scope: 'region:NCR' });
    const audience = { weight: 2000, salt: record.progress?.salt ?? '', region: 'NCR' };
    let tried = 0;
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 400; n++) {
        const reader = { subject: `bot-${n}`, region: n % 2 === 0 ? 'NCR' : 'ROCKIES' };
        const expected = inAudience(audience, reader) ? next : old;
        expect(await snapshotOf(reader.subject, reader.region)).toBe(expected);
        if (expected === next) tried += 1;
      }
      await desk.clock.advance(5000);
    }
    expect(tried % 3).toBe(0);
    expect(tried / 3).toBeGreaterThan(20);
    expect(tried / 3).toBeLessThan(70);
  });

  it('passes on time and decisions, and everyone has the rule', async () => {
    const { next, run } = await canary();
    await reports.decisions(next, 50);
    const record = await desk.until(run, ended, 90);
    expect(record).toMatchObject({ status: 'succeeded', progress: { verdict: { kind: 'pass' } } });
    expect(stages(record)).toMatchObject({ canary: 'passed', rollout: 'passed' });
    expect(await snapshotOf('anybody')).toBe(next);
    expect((await laneRecord())?.canary).toBeUndefined();
  });

  it('fails within a tick of the second new alert: old rule, open ticket, no partner told', async () => {
    await putPartner(desk.deps, desk.origin(), 'state', {
      target: { kind: 'email', to: ['air@state.example'] },
    });
    const { old, next, run } = await canary({ percent: 100 });
    await reports.decisions(next, 50);
    await reports.alert(next, 'smoke');
    await desk.clock.advance(5000);
    expect((await desk.run(run)).status).toBe('canary');
    expect(await snapshotOf('anybody')).toBe(next);
    await reports.alert(next, 'fire');
    await desk.clock.advance(1000);
    await desk.settle();
    const record = await desk.run(run);
    expect(record).toMatchObject({ status: 'failed', progress: { verdict: { method: 'alerts' } } });
    expect(await snapshotOf('anybody')).toBe(old);
    const { items } = await listTickets(desk.deps, desk.tenant, undefined, 10);
    expect(items).toEqual([expect.objectContaining({ kind: 'review', status: 'open', run })]);
    expect(desk.sent).toEqual([]);
  });

  it('passes with one alert, and with alerts that the stable arm has, too', async () => {
    const { old, next, run } = await canary({ percent: 100 });
    await reports.alert(old, 'known', 'bot-2');
    await reports.decisions(old, 1000, 'bot-2');
    await reports.decisions(next, 1000);
    await reports.alert(next, 'known');
    await reports.alert(next, 'only one');
    const record = await desk.until(run, ended, 90);
    expect(record.status).toBe('succeeded');
  });

  it('that nobody says anything of is inconclusive: the old rule, and a person decides', async () => {
    const { old, next, run } = await canary({ percent: 100 });
    const asked = await desk.until(run, ({ status }) => status === 'approving', 300);
    expect(asked.progress).toMatchObject({
      extensions: 3,
      verdict: { kind: 'inconclusive', method: 'silence' },
    });
    expect(await snapshotOf('anybody')).toBe(old);
    expect(stages(asked)).toMatchObject({ canary: 'held' });
    await desk.clock.advance(24 * 3_600_000);
    await desk.sweep();
    const over = await desk.until(run, ended, 10);
    expect(over.status).toBe('expired');
    expect(await snapshotOf('anybody')).toBe(old);
    expect(next).not.toBe(old);
  });

  it('may be silent where the run says so', async () => {
    const { next, run } = await canary({ allowSilent: true });
    expect((await desk.until(run, ended, 70)).status).toBe('succeeded');
    expect(await snapshotOf('anybody')).toBe(next);
  });

  it('without its process leaves everyone on the old rule once its lease is over', async () => {
    const { old, next, run } = await canary({ percent: 100, observeSeconds: 3600 });
    expect(await snapshotOf('anybody')).toBe(next);
    await desk.close();
    const leaseUntilMs = (await laneRecord())?.canary?.leaseUntilMs ?? 0;
    expect(leaseUntilMs - desk.clock.nowMs()).toBeGreaterThan(80_000);
    desk.clock.set(leaseUntilMs - 1);
    expect(await snapshotOf('anybody')).toBe(next);
    desk.clock.set(leaseUntilMs);
    expect(await snapshotOf('anybody')).toBe(old);
    expect((await desk.run(run)).status).toBe('canary');
  });

  it('begins a fresh window with the same audience when its process is started anew', async () => {
    const { next, run, record } = await canary();
    await desk.clock.advance(40_000);
    await desk.kill();
    await desk.sweep();
    await desk.settle();
    const again = await desk.run(run);
    expect(again.progress?.salt).toBe(record.progress?.salt);
    expect(again.progress?.startedAtMs).toBeGreaterThan(record.progress?.startedAtMs ?? 0);
    await reports.decisions(next, 50);
    await desk.clock.advance(30_000);
    expect((await desk.run(run)).status).toBe('canary');
    expect((await desk.until(run, ended, 60)).status).toBe('succeeded');
  });

  it('begins a fresh window when nobody could look at it for longer than its lease', async () => {
    const { old, next, run, record } = await canary({ percent: 100 });
    const startedAtMs = record.progress?.startedAtMs ?? 0;
    await reports.decisions(next, 50);
    desk.beforeTask = (task) => {
      if (task === 'observe-canary') throw new Unavailable('The store does not answer.');
    };
    await desk.clock.advance(91_000);
    expect(await snapshotOf('anybody')).toBe(old);
    desk.beforeTask = () => undefined;
    const again = await desk.until(
      run,
      ({ progress }) => (progress?.startedAtMs ?? 0) > startedAtMs,
      120,
    );
    expect(again).toMatchObject({ status: 'canary', progress: { salt: record.progress?.salt } });
    expect(await snapshotOf('anybody')).toBe(next);
    expect((await desk.until(run, ended, 90)).status).toBe('succeeded');
  });

  it('of a rule that takes effect later runs in shadow, and is then enforced on time', async () => {
    await desk.inForce(id, { version: '1.0.0', limit: 35 });
    const effective = new Date(desk.clock.nowMs() + 600_000).toISOString();
    const next = await desk.store(id, { version: '2.0.0', limit: 25, effective });
    const { run } = await desk.create([{ id, snapshot: next }], {
      canary: { ...quickCanary, percent: 100 },
    });
    await desk.until(run, ({ progress }) => progress !== null);
    const lane = { tenant: desk.tenant, id, channel: 'prod' } as const;
    const reader = { subject: 'anybody', region: undefined };
    const seen = await readRule(desk.deps, lane, reader);
    expect(seen).toMatchObject({ shadow: { snapshot: next }, canaryRun: null });
    await reports.decisions(next, 50);
    expect((await desk.until(run, ended, 90)).status).toBe('succeeded');
    expect((await readRule(desk.deps, lane, reader)).rule.snapshot).not.toBe(next);
    desk.clock.set(Date.parse(effective));
    expect((await readRule(desk.deps, lane, reader)).rule.snapshot).toBe(next);
  });
});

describe('abort', () => {
  it('takes the candidate away at once, and stays what it is', async () => {
    const { old, run } = await canary({ percent: 100 });
    const ref = { tenant: desk.tenant, run };
    const record = await abortRun(desk.deps, desk.origin('ops'), ref, 'smells');
    expect(record).toMatchObject({ status: 'aborted', outcome: 'ops aborted it: smells' });
    expect(await snapshotOf('anybody')).toBe(old);
    const again = await abortRun(desk.deps, desk.origin('eve'), ref, null);
    expect(again.outcome).toBe('ops aborted it: smells');
    await desk.clock.advance(120_000);
    expect((await desk.run(run)).outcome).toBe('ops aborted it: smells');
  });

  it('while partners are told takes the release back, and tells who had been told', async () => {
    const old = await desk.inForce(id, { version: '1.0.0', limit: 35 });
    for (const name of ['up', 'down']) {
      await putPartner(desk.deps, desk.origin(), name, {
        target: { kind: 'webhook', url: `https://${name}.example/` },
        secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      });
    }
    desk.answer = (to) =>
      to.includes('down')
        ? { outcome: 'failed', detail: 'no answer' }
        : { outcome: 'delivered', detail: '200' };
    const next = await desk.store(id, { version: '2.0.0', limit: 25 });
    const { run } = await desk.create([{ id, snapshot: next }], {
      canary: null,
      partners: ['up', 'down'],
    });
    await desk.until(run, ({ status }) => status === 'notifying');
    await desk.until(run, () => desk.sent.length >= 2, 5);
    expect(await snapshotOf('anybody')).toBe(next);
    await abortRun(desk.deps, desk.origin(), { tenant: desk.tenant, run }, null);
    expect(await snapshotOf('anybody')).toBe(old);
    await desk.sweep();
    const told = desk.sent.map(({ to, notice }) => `${notice.type} ${to}`);
    expect(told).toContain('policy.restored https://up.example/');
    expect(told).not.toContain('policy.restored https://down.example/');
  });
});
