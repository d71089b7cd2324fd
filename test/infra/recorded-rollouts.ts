import { setTimeout } from 'node:timers/promises';

import type { Origin } from '../../src/core/journal/journal-entry.ts';
import type { Deps } from '../../src/core/deps.ts';
import { Unavailable } from '../../src/core/errors/app-error.ts';
import { putPartner } from '../../src/core/partners/partners.ts';
import type { CanaryPlan } from '../../src/core/policies/canary-plan.ts';
import { storeSnapshot } from '../../src/core/policies/store-snapshot.ts';
import { createRun, type RunRequest } from '../../src/core/rollouts/create-run.ts';
import { makeTasks } from '../../src/core/rollouts/make-tasks.ts';
import { requireRun } from '../../src/core/rollouts/read-situation.ts';
import type { RolloutTasks, RunRef } from '../../src/core/rollouts/rollout-tasks.ts';
import type { RunRecord } from '../../src/core/rollouts/run-record.ts';
import { reportAlert } from '../../src/core/telemetry/report-alert.ts';
import { reportReceipts } from '../../src/core/telemetry/report-receipts.ts';
import { packageOf, ruleYaml } from '../support/policy-documents.ts';
import type { RecordedDeps, RecordedPlatform } from './recorded-platform.ts';

const tenant = 'demo';
export const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const quickCanary: CanaryPlan = {
  percent: 5,
  scope: null,
  observeSeconds: 60,
  maxNewAlerts: 2,
  minDecisions: 10,
  allowSilent: false,
  quorum: null,
};

/** Scenarios that the rule of 35 decided. `kept`: a rule that decides otherwise is refused. */
export function scenarioFiles(kept: boolean): Readonly<Record<string, string>> {
  const suite = {
    decision: 'input.pm25 > policy.limit ? "violation" : "compliant"',
    protected: kept ? ['all'] : [],
    scenarios: [
      { name: 'clear', input: { pm25: 10 }, recorded: 'compliant' },
      { name: 'between', input: { pm25: 30 }, recorded: 'compliant' },
    ],
  };
  return { 'scenarios/bots.yaml': JSON.stringify(suite) };
}

/** Rollouts of one tenant, driven by hand as the state machine drives them. */
export class RecordedRollouts {
  readonly deps: RecordedDeps;
  readonly #platform: RecordedPlatform;

  constructor(platform: RecordedPlatform) {
    this.#platform = platform;
    this.deps = platform.deps().deps;
  }

  origin(actor = 'ann'): Origin {
    return { tenant, actor, requestId: crypto.randomUUID() };
  }

  ref(run: number): RunRef {
    return { tenant, run };
  }

  async store(
    id: string,
    fields: Readonly<Record<string, unknown>>,
    beside: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const bytes = packageOf(ruleYaml(id, fields), beside);
    const upload = { form: 'zip', bytes } as const;
    const { record } = await storeSnapshot(this.deps, this.origin(), id, upload, null);
    return record.snapshot;
  }

  async partner(name: string, url: string | null): Promise<void> {
    const partner =
      url === null
        ? { target: { kind: 'email', to: ['desk@state.example'] } as const, secret: undefined }
        : { target: { kind: 'webhook', url } as const, secret: webhookSecret };
    await putPartner(this.deps, this.origin(), name, partner);
  }

  async create(
    id: string,
    snapshot: string,
    request: Partial<RunRequest> = {},
    deps: Parameters<typeof createRun>[0] = this.deps,
  ): Promise<number> {
    const { run } = await createRun(deps, this.origin(), {
      policies: [{ id, snapshot }],
      channel: 'prod',
      canary: null,
      partners: [],
      approvals: 0,
      hotfix: false,
      reason: null,
      ...request,
    });
    return run;
  }

  /** A run that was queued by a process that died before it looked who is in the way. */
  async createAndDie(id: string, snapshot: string): Promise<number> {
    let commits = 0;
    const records: Deps['records'] = {
      get: (key) => this.deps.records.get(key),
      getMany: (keys) => this.deps.records.getMany(keys),
      query: (query) => this.deps.records.query(query),
      commit: (writes, token) => {
        commits += 1;
        if (commits > 1) throw new Unavailable('The process is gone.');
        return this.deps.records.commit(writes, token);
      },
    };
    return this.create(id, snapshot, {}, { ...this.deps, records });
  }

  async run(run: number): Promise<RunRecord> {
    return (await requireRun(this.deps, this.ref(run))).value;
  }

  /** Takes a run on, from where it is, until it ends or waits for people or for time. */
  async drive(run: number, tasks: RolloutTasks = makeTasks(this.deps)): Promise<string> {
    const ref = this.ref(run);
    if ((await tasks.lint(ref)).status === 'ended') return 'ended';
    const { status, batches } = await tasks['plan-simulation'](ref);
    if (status === 'ended') return status;
    for (const batch of batches) await tasks['replay-scenarios']({ ...ref, batch });
    const judged = await tasks['judge-simulation'](ref);
    if (judged.status === 'canary') return (await tasks['start-canary'](ref)).status;
    return judged.status === 'rollout' ? this.release(run, tasks) : judged.status;
  }

  /** Opens the ticket of a run that needs people. */
  async askFor(run: number): Promise<void> {
    await makeTasks(this.deps)['request-approval']({ ...this.ref(run), token: `token-${run}` });
  }

  /** Up to its release, with nobody told yet. */
  async releaseSilently(run: number): Promise<void> {
    const untold = {
      'notify-partners': async () => ({ status: 'waiting', waitSeconds: 1 }) as const,
    };
    const tasks = { ...makeTasks(this.deps), ...untold };
    if ((await this.drive(run, tasks)) !== 'waiting') throw new Error(`run ${run} is not released`);
  }

  /** From its release to its end, but for partners who are to be told later. */
  async release(run: number, tasks: RolloutTasks = makeTasks(this.deps)): Promise<string> {
    const ref = this.ref(run);
    const { status } = await tasks['release-rules'](ref);
    return status === 'released' ? (await tasks['notify-partners'](ref)).status : status;
  }

  /** Enough decisions under each of these rules, and the time of observation. */
  async observeQuietly(id: string, ...snapshots: readonly string[]): Promise<void> {
    const receipts = snapshots.map(
      (snapshot) =>
        ({ policy: id, channel: 'prod', snapshot, status: 'applied', decisions: 20 }) as const,
    );
    await reportReceipts(this.deps, { tenant, subject: 'bots' }, receipts, null);
    this.#platform.clock.set(this.#platform.clock.nowMs() + 61_000);
  }

  async alert(id: string, snapshot: string, fingerprint: string): Promise<void> {
    const about = { policy: id, channel: 'prod', snapshot } as const;
    const alert = { ...about, fingerprint, severity: 'critical', message: 'smoke' } as const;
    await reportAlert(this.deps, { tenant, subject: 'bots' }, alert);
  }

  /** The emulator takes a moment to note it. */
  async stopProcess(run: number): Promise<void> {
    await this.#platform.stopProcess(this.ref(run));
    await setTimeout(200);
  }
}
