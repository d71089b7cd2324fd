import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type LocalWorkflows, localWorkflows } from '../../src/adapters/local/local-workflows.ts';
import type { Origin } from '../../src/core/journal/journal-entry.ts';
import { packFiles } from '../../src/core/packages/pack-policy.ts';
import { deliverDue } from '../../src/core/partners/deliver-due.ts';
import { activateDue } from '../../src/core/policies/activate-due.ts';
import type { CanaryPlan } from '../../src/core/policies/canary-plan.ts';
import { storeSnapshot } from '../../src/core/policies/store-snapshot.ts';
import { type CreatedRun, createRun, type RunRequest } from '../../src/core/rollouts/create-run.ts';
import { makeTasks } from '../../src/core/rollouts/make-tasks.ts';
import { requireRun } from '../../src/core/rollouts/read-situation.ts';
import { reconcileRuns } from '../../src/core/rollouts/reconcile-runs.ts';
import type { RunRecord } from '../../src/core/rollouts/run-record.ts';
import type { Json } from '../../src/core/values/json.ts';
import type { Attempt, Notice } from '../../src/ports/partner-transport.ts';
import type { Deps } from '../../src/core/deps.ts';
import { coreDeps, type CoreDeps } from './core-deps.ts';
import { ManualClock } from './manual-clock.ts';
import { memorySecrets } from './memory-secrets.ts';
import { ruleYaml } from './policy-documents.ts';

const encoder = new TextEncoder();
const definition = JSON.parse(
  readFileSync(new URL('../../statemachines/rollout.asl.json', import.meta.url), 'utf8'),
) as Json;

export const quickCanary: CanaryPlan = {
  percent: 5,
  scope: null,
  observeSeconds: 60,
  maxNewAlerts: 2,
  minDecisions: 10,
  allowSilent: false,
  quorum: null,
};

type DeskDeps = CoreDeps & Pick<Deps, 'workflows' | 'secrets' | 'partners'>;

/**
 * Rollouts of one tenant from end to end in memory: the state machine itself, its tasks, the
 * reconciler, and a clock that the test moves. `kill()` forgets everything but the records.
 */
export class RolloutDesk {
  readonly clock: ManualClock;
  readonly deps: DeskDeps;
  readonly tenant = 'demo';
  /** What partners were sent, in order. */
  readonly sent: { readonly to: string; readonly notice: Notice }[] = [];
  /** What partners answer. */
  answer: (to: string) => Attempt = () => ({ outcome: 'delivered', detail: '200' });
  /** Tasks that were begun, by name. */
  readonly began: string[] = [];
  /** May throw, or wait, before a task, to stand for a fault in it. */
  beforeTask: (task: string) => void = () => undefined;
  #engine: LocalWorkflows;
  #requests = 0;

  constructor(given: Partial<CoreDeps> = {}) {
    this.clock = given.clock ?? new ManualClock();
    const core = coreDeps({ ...given, clock: this.clock });
    this.#engine = this.#newEngine(core);
    this.deps = {
      ...core,
      secrets: memorySecrets(),
      partners: {
        send: async (target, _secret, notice) => {
          const to = target.kind === 'webhook' ? target.url : target.kind;
          this.sent.push({ to, notice });
          return this.answer(to);
        },
      },
      workflows: {
        start: (name, input) => this.#engine.start(name, input),
        signal: (token, result) => this.#engine.signal(token, result),
        status: (name) => this.#engine.status(name),
      },
    };
  }

  #newEngine(core: CoreDeps): LocalWorkflows {
    const { clock, ids, log } = core;
    const tasks = () => {
      const made = makeTasks(this.deps) as unknown as Record<
        string,
        (input: Json) => Promise<Json>
      >;
      return Object.fromEntries(
        Object.entries(made).map(([name, run]) => [
          name,
          async (input: Json) => {
            this.began.push(name);
            this.beforeTask(name);
            return run(input);
          },
        ]),
      );
    };
    return localWorkflows({ definition, tasks, clock, ids, log });
  }

  origin(actor = 'ann'): Origin {
    this.#requests += 1;
    return { tenant: this.tenant, actor, requestId: `request-${this.#requests}` };
  }

  /** Stores a rule and answers its snapshot. */
  async store(
    id: string,
    fields: Readonly<Record<string, unknown>> = {},
    beside: Readonly<Record<string, string>> = {},
    actor = 'ann',
  ): Promise<string> {
    // Not deflated: to inflate takes a thread, and so real time.
    const bytes = packFiles({
      'policy.yaml': encoder.encode(ruleYaml(id, fields)),
      ...Object.fromEntries(
        Object.entries(beside).map(([path, text]) => [path, encoder.encode(text)]),
      ),
    });
    const stored = await storeSnapshot(
      this.deps,
      this.origin(actor),
      id,
      { form: 'zip', bytes },
      null,
    );
    return stored.record.snapshot;
  }

  /** A rule in force in prod, by a run without a canary. */
  async inForce(id: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const snapshot = await this.store(id, fields);
    const { run } = await this.create([{ id, snapshot }], { canary: null });
    await this.until(run, ({ status }) => status === 'succeeded');
    return snapshot;
  }

  create(
    policies: RunRequest['policies'],
    request: Partial<RunRequest> = {},
    actor = 'ann',
  ): Promise<CreatedRun> {
    return createRun(this.deps, this.origin(actor), {
      policies,
      channel: 'prod',
      canary: quickCanary,
      partners: [],
      approvals: 0,
      hotfix: false,
      reason: null,
      ...request,
    });
  }

  async run(run: number): Promise<RunRecord> {
    return (await requireRun(this.deps, { tenant: this.tenant, run })).value;
  }

  /** Lets time pass, second by second, until the run is as wanted. Fails after `maxSeconds`. */
  async until(
    run: number,
    wanted: (record: RunRecord) => boolean,
    maxSeconds = 600,
  ): Promise<RunRecord> {
    for (let second = 0; ; second++) {
      await this.settle();
      const record = await this.run(run);
      if (wanted(record)) return record;
      if (second >= maxSeconds) {
        throw new Error(`run ${run} is ${record.status} after ${maxSeconds} s: ${record.outcome}`);
      }
      await this.clock.advance(1000);
    }
  }

  /** Lets everything come to rest that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 40; turn++) await setImmediate();
  }

  /** What the background does, once. */
  async sweep(): Promise<void> {
    await reconcileRuns(this.deps);
    await deliverDue(this.deps);
    await activateDue(this.deps);
  }

  /** The process dies and is started again: nothing is left of it but the records. */
  async kill(): Promise<void> {
    const old = this.#engine;
    this.#engine = this.#newEngine(this.deps);
    const closed = old.close();
    await this.clock.advance(0);
    await closed;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
