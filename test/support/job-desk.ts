import { setImmediate } from 'node:timers/promises';
import { requireJob } from '../../src/core/jobs/change-job.ts';
import type { Worker } from '../../src/core/jobs/define-worker.ts';
import type { BesidesJob, EnqueuedJob } from '../../src/core/jobs/enqueue-job.ts';
import type { JobRecord } from '../../src/core/jobs/job-record.ts';
import { keepWorking } from '../../src/core/jobs/keep-working.ts';
import {
  type JobRequest,
  sendJob,
  submitJob,
  type WorkerTable,
} from '../../src/core/jobs/submit-job.ts';
import { cancelJob, retryJob } from '../../src/core/jobs/manage-jobs.ts';
import { reconcileJobs } from '../../src/core/jobs/reconcile-jobs.ts';
import { type TurnEnd, type WorkDeps, workOn } from '../../src/core/jobs/work-on.ts';
import type { Origin } from '../../src/core/journal/journal-entry.ts';
import type { JobTurn } from '../../src/ports/job-queue.ts';
import { type CoreDeps, coreDeps, processDeps } from './core-deps.ts';
import { assertJobsConsistent } from './derive-jobs.ts';
import { ManualClock } from './manual-clock.ts';

export type JobDeskDeps = CoreDeps &
  WorkDeps & { readonly workers: WorkerTable; readonly workerTypes: readonly string[] };

/** What a test says of a job where it does not matter what. */
export type JobFields = Partial<JobRequest>;

/**
 * Jobs of one tenant from end to end in memory: records, queue, workers, and a clock that the test
 * moves. `process` is another process on the same stores.
 */
export class JobDesk {
  readonly clock: ManualClock;
  readonly deps: JobDeskDeps;
  readonly tenant: string;

  constructor(
    workers: readonly Worker[] = [],
    given: Partial<CoreDeps & Pick<WorkDeps, 'vet' | 'workerName' | 'isGone'>> = {},
    tenant = 'demo',
  ) {
    this.clock = given.clock ?? new ManualClock();
    this.tenant = tenant;
    this.deps = {
      vet: async () => ({ verdict: 'allowed' }),
      workerName: 'worker-1',
      ...coreDeps({ ...given, clock: this.clock }),
      ...given,
      workers: new Map(workers.map((worker) => [worker.type, worker])),
      workerTypes: workers.map(({ type }) => type),
    };
  }

  /** The same jobs, as another process has them. */
  process(given: Partial<CoreDeps & Pick<WorkDeps, 'workerName' | 'isGone'>>): JobDesk {
    const core = processDeps(this.deps, { ...given });
    return new JobDesk(
      [...this.deps.workers.values()],
      { ...this.deps, ...given, ...core },
      this.tenant,
    );
  }

  origin(actor = 'ravi'): Origin {
    return { tenant: this.tenant, actor, requestId: 'request-1' };
  }

  submit(fields: JobFields = {}, besides?: BesidesJob): Promise<EnqueuedJob> {
    const asked = { ...plainJob, ...fields };
    return this.whileTimePasses(() => submitJob(this.deps, this.origin(), asked, besides));
  }

  async job(id: string): Promise<JobRecord> {
    return (await requireJob(this.deps, { tenant: this.tenant, id })).value;
  }

  cancel(id: string, reason: string | null = null): Promise<JobRecord> {
    return cancelJob(this.deps, this.origin('ann'), { tenant: this.tenant, id }, reason);
  }

  /** As the API has it. */
  async retry(id: string, reason: string | null = null): Promise<JobRecord> {
    const job = await retryJob(this.deps, this.origin('ann'), { tenant: this.tenant, id }, reason);
    const { type, priority, visibleAtMs } = job;
    await sendJob(this.deps, { tenant: this.tenant, id, type, priority, notBeforeMs: visibleAtMs });
    return job;
  }

  /** The turns that the queue hands out now. */
  turns(type: string = plainJob.type, max = 10): Promise<JobTurn[]> {
    return this.deps.queue.receive(type, { max, hideMs: 35_000, waitMs: 0 });
  }

  /** Works on the next job that has its turn, if there is one. */
  async workOnce(type: string = plainJob.type): Promise<TurnEnd | 'none'> {
    const [turn] = await this.turns(type, 1);
    if (turn === undefined) return 'none';
    return this.whileTimePasses(() => this.workOn(turn));
  }

  /** Begins to work on the next job that has its turn; the test has time pass. */
  async begin(type: string = plainJob.type): Promise<{ readonly end: Promise<TurnEnd> }> {
    const [turn] = await this.turns(type, 1);
    if (turn === undefined) throw new Error('no job has its turn');
    const end = this.workOn(turn);
    end.catch(() => undefined);
    await this.settle();
    return { end };
  }

  workOn(turn: JobTurn, stop?: AbortSignal): Promise<TurnEnd> {
    const worker = this.deps.workers.get(turn.type);
    if (worker === undefined) throw new Error(`there is no worker for ${turn.type}`);
    return workOn(this.deps, worker, turn, stop);
  }

  /** Works on all that comes until `ms` have passed. */
  async workFor(ms: number, stepMs = 100): Promise<void> {
    const stop = new AbortController();
    const working = keepWorking(this.deps, this.deps.workers, stop.signal);
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.settle();
      await this.clock.advance(Math.min(stepMs, ms - passed));
    }
    await this.settle();
    stop.abort();
    await this.whileTimePasses(() => working);
  }

  reconcile(staleMs = 0): Promise<void> {
    return reconcileJobs(this.deps, { staleMs, againMs: 0, maxJobs: 1000 });
  }

  /** Lets what is under way go on as far as it gets without time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await setImmediate();
  }

  /** Does something that may have to wait: time passes, 10 ms at once, until it is done. */
  async whileTimePasses<T>(work: () => Promise<T>, stepMs = 10): Promise<T> {
    const state = { isDone: false };
    const done = work();
    const note = (): void => void (state.isDone = true);
    done.then(note, note);
    await this.settle();
    while (!state.isDone) {
      await this.clock.advance(stepMs);
      await this.settle();
    }
    return done;
  }

  consistent(): Promise<readonly JobRecord[]> {
    return assertJobsConsistent(this.deps.records, this.tenant, this.deps.jobJournals);
  }
}

export const plainJob = {
  type: 'test.note',
  data: { text: 'note this' },
  priority: 'normal',
  notBeforeMs: null,
  maxAttempts: null,
  subject: 'ravi',
  idempotencyKey: null,
  reason: null,
} as const satisfies JobRequest;
