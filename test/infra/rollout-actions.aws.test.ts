import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fanOut } from '../../src/core/events/fan-out.ts';
import { eventsOf } from '../../src/core/events-of.ts';
import { relayAllJournals, relayJournals } from '../../src/core/journal/relay-journal.ts';
import { jobJournalsOf } from '../../src/core/jobs/job-keys.ts';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { deliverDue } from '../../src/core/partners/deliver-due.ts';
import { activateDue } from '../../src/core/policies/activate-due.ts';
import { publishPolicy } from '../../src/core/policies/publish-policy.ts';
import { rollbackPolicy } from '../../src/core/policies/rollback-policy.ts';
import { makeTasks } from '../../src/core/rollouts/make-tasks.ts';
import { reconcileRuns } from '../../src/core/rollouts/reconcile-runs.ts';
import type { RolloutTasks } from '../../src/core/rollouts/rollout-tasks.ts';
import { tellOfRollback } from '../../src/core/rollouts/tell-of-rollback.ts';
import { decideTicket } from '../../src/core/rollouts/tickets.ts';
import { ruleYaml } from '../support/policy-documents.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/start-webhook-receiver.ts';
import { grantedActions } from './granted-actions.ts';
import { type RecordedDeps, RecordedPlatform } from './recorded-platform.ts';
import { RecordedServices } from './recorded-services.ts';
import { quickCanary, RecordedRollouts, scenarioFiles } from './recorded-rollouts.ts';
import { synthStage } from './synth-stage.ts';

/** What each function of rollouts calls, as recorded here, is what it may call: no more and no less. */

const mailFrom = 'rules@agency.example';
const { events, rollout } = synthStage('prod', { mailFrom }).templates;

let platform: RecordedPlatform;
let rollouts: RecordedRollouts;
let partner: WebhookReceiver;
let services: RecordedServices;

beforeAll(async () => {
  platform = await RecordedPlatform.open();
  rollouts = new RecordedRollouts(platform);
  partner = await startWebhookReceiver();
  await rollouts.partner('state', partner.url);
  await rollouts.partner('county', null);
  services = await RecordedServices.open(platform);
  await services.register('paid-for');
});

afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await partner[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

async function inForce(id: string): Promise<string> {
  const snapshot = await rollouts.store(id, { limit: 35 });
  expect(await rollouts.drive(await rollouts.create(id, snapshot))).toBe('notified');
  return snapshot;
}

/** A run that is about to fail at its first step, and one that waits for its place. */
async function failingBefore(
  id: string,
  fields: object,
  beside?: Readonly<Record<string, string>>,
): Promise<{ failing: number; waiting: number }> {
  const bad = await rollouts.store(id, { version: '1.1.0', limit: 25, ...fields }, beside);
  const good = await rollouts.store(id, { version: '1.2.0', limit: 34 });
  const failing = await rollouts.create(id, bad);
  const waiting = await rollouts.createAndDie(id, good);
  return { failing, waiting };
}

async function isDriven(run: number): Promise<boolean> {
  return (await rollouts.deps.workflows.status(`demo-run-${run}`)) === 'running';
}

describe('a function of rollouts may call what it calls', () => {
  it('all of them, from a package to its partners', async () => {
    const named = {
      LintPolicies: platform.deps(),
      ReplayScenarios: platform.deps(),
      AdvanceRun: platform.deps(),
      NotifyPartners: platform.deps(),
    };
    const { tasks, expectGranted } = recordedTasks(named);
    const before = await inForce('limit');
    const after = await rollouts.store(
      'limit',
      { version: '1.1.0', limit: 25 },
      scenarioFiles(false),
    );
    const run = await rollouts.create('limit', after, {
      canary: quickCanary,
      approvals: 1,
      partners: ['state', 'county'],
    });
    expect(await rollouts.drive(run, tasks)).toBe('approve');
    const ref = rollouts.ref(run);
    await tasks['request-approval']({ ...ref, token: 'early' });
    const approve = { decision: 'approve', reason: null } as const;
    await decideTicket(rollouts.deps, rollouts.origin('bob'), `run-${run}-approval`, approve);
    // A process that was started anew asks again, and hears it at once.
    await tasks['request-approval']({ ...ref, token: 'late' });
    expect(await tasks['start-canary'](ref)).toMatchObject({ status: 'observing' });
    expect(await tasks['observe-canary'](ref)).toMatchObject({ status: 'observing' });
    const next = await rollouts.create('limit', before);
    await rollouts.observeQuietly('limit', after, before);
    expect(await tasks['observe-canary'](ref)).toMatchObject({ status: 'rollout' });
    expect(await rollouts.release(run, tasks)).toBe('notified');
    expect(partner.calls.at(-1)?.body).toContain(after);
    expect(await isDriven(next)).toBe(true);

    // Whoever fails makes way for those who wait.
    await inForce('late');
    const lint = await failingBefore('late', { version: '0.1.0' });
    expect(await tasks.lint(rollouts.ref(lint.failing))).toEqual({ status: 'ended' });
    expect(await isDriven(lint.waiting)).toBe(true);
    await inForce('strict');
    const replay = await failingBefore('strict', {}, scenarioFiles(true));
    expect(await rollouts.drive(replay.failing, tasks)).toBe('ended');
    expect(await isDriven(replay.waiting)).toBe(true);
    await inForce('smoky');
    const smoke = await rollouts.store('smoky', { version: '1.1.0', limit: 36 });
    const smoking = await rollouts.create('smoky', smoke, { canary: quickCanary });
    expect(await rollouts.drive(smoking, tasks)).toBe('observing');
    for (const fingerprint of ['stack 1', 'stack 2']) {
      await rollouts.alert('smoky', smoke, fingerprint);
    }
    expect(await tasks['observe-canary'](rollouts.ref(smoking))).toMatchObject({ status: 'ended' });
    expectGranted();
  });

  it('the reconciler', async () => {
    const { deps, actions } = platform.deps();
    const snapshot = await inForce('kept');
    const candidate = await rollouts.store('kept', { version: '1.1.0', limit: 25 });

    // Waits for people who have decided, and nobody woke it.
    const wish = { approvals: 1, canary: quickCanary };
    const asked = await rollouts.create('kept', candidate, wish);
    expect(await rollouts.drive(asked)).toBe('approve');
    await rollouts.askFor(asked);
    const unreachable = { ...rollouts.deps, workflows: gone };
    const approve = { decision: 'approve', reason: null } as const;
    await decideTicket(unreachable, rollouts.origin('bob'), `run-${asked}-approval`, approve);
    // Queued, and nobody started it.
    const fresh = await rollouts.store('limit', { version: '9.0.0' });
    const never = await rollouts.create('limit', fresh, { channel: 'test' }, unreachable);
    await reconcileRuns(deps);
    expect(await isDriven(never)).toBe(true);

    // Without its process, and with someone who waits.
    const waiting = await rollouts.createAndDie('kept', snapshot);
    await rollouts.stopProcess(asked);
    platform.clock.set(platform.clock.nowMs() + 60_000);
    await reconcileRuns(deps);
    expect(await rollouts.run(asked)).toMatchObject({
      status: expect.stringMatching(/failed|superseded/),
    });
    expect(await isDriven(waiting)).toBe(true);

    // Released, and nobody tells its partners.
    const partners = ['state', 'county'];
    const untold = await rollouts.create('limit', fresh, { partners, channel: 'dev' });
    await rollouts.releaseSilently(untold);
    expect(await deliverDue(deps)).toBe(1);
    expect([...actions].sort()).toEqual(grantedActions(rollout, 'ReconcileFunction'));
  });

  it.each(['RelayFunction', 'SweepFunction'])('%s, after rollbacks, and an event', async (id) => {
    const { deps, actions } = platform.deps();
    const toServices = fanOut(deps);
    const react = async (journal: string, entry: JournalEntry) => {
      await tellOfRollback(deps, journal, entry);
      await toServices(journal, entry);
    };
    const relay = { ...deps, eventsOf, react };
    // One of which everyone was told, and one of which nobody could be.
    for (const status of [204, 500]) {
      partner.answer = { status };
      const policy = `taken-back-${status}-${id.toLowerCase()}`;
      await inForce(policy);
      await releaseTo(['state'], policy);
      const lane = { tenant: 'demo', id: policy, channel: 'prod' } as const;
      const rollback = { lane, snapshot: null, guard: null, reason: null };
      await rollbackPolicy(rollouts.deps, rollouts.origin(), rollback);
    }
    partner.answer = { status: 204 };
    await services.publish('paid-for');
    const journals = ['demo', ...jobJournalsOf('demo', deps.jobJournals)];
    if (id === 'RelayFunction') await relayJournals(relay, journals);
    else {
      await publishLater(deps.clock.nowMs());
      platform.clock.set(platform.clock.nowMs() + 120_000);
      expect(await activateDue(deps)).toBe(1);
      await relayAllJournals(relay);
    }
    expect([...actions].sort()).toEqual(grantedActions(events, id));
  });
});

/** The tasks, each by the deps of its function. */
function recordedTasks(named: Readonly<Record<string, ReturnType<RecordedPlatform['deps']>>>): {
  tasks: RolloutTasks;
  expectGranted: () => void;
} {
  const of = (id: string): RolloutTasks => makeTasks(named[id]?.deps as RecordedDeps);
  const { lint } = of('LintPolicies');
  const replay = of('ReplayScenarios');
  const tasks: RolloutTasks = {
    ...of('AdvanceRun'),
    lint,
    'plan-simulation': replay['plan-simulation'],
    'replay-scenarios': replay['replay-scenarios'],
    'judge-simulation': replay['judge-simulation'],
    'notify-partners': of('NotifyPartners')['notify-partners'],
  };
  const expectGranted = (): void => {
    for (const [id, { actions }] of Object.entries(named)) {
      expect([...actions].sort(), id).toEqual(grantedActions(rollout, `${id}Function`));
    }
  };
  return { tasks, expectGranted };
}

const gone = {
  start: () => Promise.reject(new Error('The process is gone.')),
  signal: () => Promise.reject(new Error('The process is gone.')),
  status: () => Promise.reject(new Error('The process is gone.')),
};

async function releaseTo(partners: readonly string[], id: string): Promise<void> {
  const snapshot = await rollouts.store(id, { version: '1.1.0', limit: 25 });
  await rollouts.drive(await rollouts.create(id, snapshot, { partners }));
}

async function publishLater(nowMs: number): Promise<void> {
  const effective = new Date(nowMs + 60_000).toISOString();
  const yaml = ruleYaml('later', { version: '1.0.0', effective });
  await publishPolicy(rollouts.deps, rollouts.origin(), {
    lane: { tenant: 'demo', id: 'later', channel: 'dev' },
    upload: { form: 'yaml', bytes: new TextEncoder().encode(yaml) },
    guard: null,
    reason: null,
  });
}
