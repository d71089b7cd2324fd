import * as fc from 'fast-check';
import { expect } from 'vitest';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { type AttemptOutcome, finishAttempt } from '../../../src/core/jobs/finish-attempt.ts';
import {
  type JobPriority,
  jobPriorities,
  type JobStatus,
} from '../../../src/core/jobs/job-record.ts';
import { renewLease } from '../../../src/core/jobs/keep-lease.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { noteWorker } from './effects.ts';
import { outsideType } from './outside-worker.ts';

/** One thing that somebody does to a job, named by a number, or that happens. */
export type Act =
  | {
      readonly kind: 'enqueue';
      readonly isOurs: boolean;
      readonly priority: JobPriority;
      readonly delayMs: number;
      readonly maxAttempts: number;
      /** Null: without. */
      readonly key: number | null;
    }
  | { readonly kind: 'start'; readonly job: number; readonly leaseMs: number }
  | { readonly kind: 'renew'; readonly job: number; readonly leaseMs: number }
  | {
      readonly kind: 'finish';
      readonly job: number;
      readonly how: 'completed' | 'rejected' | 'failed' | 'final';
      /** With the lease of the attempt that is so many before the latest. */
      readonly back: number;
    }
  | { readonly kind: 'cancel'; readonly job: number }
  | { readonly kind: 'retry'; readonly job: number }
  | { readonly kind: 'time'; readonly ms: number };

/** What is done to a job. */
type JobAct = Exclude<Act, { kind: 'time' | 'enqueue' }>;

const job = fc.nat({ max: 7 });
const leases = fc.constantFrom(500, 3000);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('enqueue' as const),
      isOurs: fc.boolean(),
      priority: fc.constantFrom(...jobPriorities),
      delayMs: fc.constantFrom(0, 0, 2000),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
      key: fc.option(fc.nat({ max: 2 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('start' as const), job, leaseMs: leases }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('renew' as const), job, leaseMs: leases }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      job,
      how: fc.constantFrom('completed' as const, 'rejected', 'failed', 'failed', 'final'),
      back: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), job }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const), job }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(4000) }) },
);

export const acts: fc.Arbitrary<Act[]> = fc.array(act, { minLength: 5, maxLength: 60 });

/** What should be so of a job. */
interface Model {
  readonly id: string;
  readonly isOurs: boolean;
  readonly maxAttempts: number;
  status: JobStatus;
  attempts: number;
  visibleAtMs: number;
  leaseUntilMs: number;
  /** Of every attempt that was begun. */
  readonly tokens: string[];
  reported: {
    readonly token: string;
    readonly how: string;
    readonly nextAtMs: number | null;
  } | null;
}

const outcomes: Readonly<Record<string, AttemptOutcome>> = {
  completed: { kind: 'completed', result: 'done' },
  rejected: { kind: 'rejected', validator: 'v', reason: 'no' },
  failed: { kind: 'failed', code: 'c', message: 'm' },
  final: { kind: 'failed', code: 'c', message: 'm', final: true },
};

/** Jobs, and beside them what should be so of them. */
export class JobModel {
  readonly desk = new JobDesk([noteWorker()]);
  readonly #jobs: Model[] = [];
  readonly #keys = new Map<string, string>();

  async take(step: Act): Promise<void> {
    if (step.kind === 'time') return this.desk.clock.advance(step.ms);
    if (step.kind === 'enqueue') return this.#enqueue(step);
    const model = this.#jobs[step.job % Math.max(1, this.#jobs.length)];
    if (model === undefined) return;
    const expected = this.#expected(step, model);
    const answer = await this.#do(step, model).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      return error.code;
    });
    expect({ step, answer }).toEqual({ step, answer: expected(answer) });
    const { status, attempts, visibleAtMs, lease } = await this.desk.job(model.id);
    expect({ step, status, attempts, visibleAtMs }).toEqual({
      step,
      status: model.status,
      attempts: model.attempts,
      visibleAtMs: model.visibleAtMs,
    });
    expect(lease?.untilMs ?? null).toBe(status === 'processing' ? model.leaseUntilMs : null);
  }

  async check(): Promise<void> {
    const jobs = await this.desk.consistent();
    const statuses = (of: readonly { readonly id: string; readonly status: JobStatus }[]) =>
      Object.fromEntries(of.map(({ id, status }) => [id, status]));
    expect(statuses(jobs)).toEqual(statuses(this.#jobs));
  }

  async #enqueue(step: Extract<Act, { kind: 'enqueue' }>): Promise<void> {
    const { isOurs, priority, delayMs, maxAttempts, key } = step;
    const nowMs = this.desk.clock.nowMs();
    // A key is for one request.
    const name = key === null ? null : JSON.stringify([isOurs, priority, maxAttempts, key]);
    const asked = await this.desk.submit({
      ...(isOurs ? {} : { type: outsideType }),
      priority,
      notBeforeMs: delayMs === 0 ? null : nowMs + delayMs,
      maxAttempts,
      idempotencyKey: name,
    });
    const known = name === null ? undefined : this.#keys.get(name);
    expect(asked.status).toBe(known === undefined ? 'queued' : 'known');
    if (known !== undefined) return expect(asked.id).toBe(known);
    if (name !== null) this.#keys.set(name, asked.id);
    this.#jobs.push({
      id: asked.id,
      isOurs,
      maxAttempts,
      status: 'queued',
      attempts: 0,
      visibleAtMs: nowMs + delayMs,
      leaseUntilMs: 0,
      tokens: [],
      reported: null,
    });
  }

  async #do(step: JobAct, model: Model): Promise<unknown> {
    const { deps, tenant } = this.desk;
    const ref = { tenant, id: model.id };
    const origin = this.desk.origin('worker');
    if (step.kind === 'cancel') return (await this.desk.cancel(model.id)).status;
    if (step.kind === 'retry') return (await this.desk.retry(model.id)).status;
    if (step.kind === 'renew') {
      return renewLease(deps, ref, model.tokens.at(-1) ?? 'none', step.leaseMs);
    }
    if (step.kind === 'finish') {
      return finishAttempt(deps, origin, ref, outcomes[step.how] as AttemptOutcome, {
        token: model.tokens.at(-1 - step.back) ?? 'none',
        retry: { baseMs: 1000, maxMs: 5000 },
        metricType: 'any',
      });
    }
    const started = await startAttempt(deps, origin, ref, {
      worker: 'worker',
      leaseMs: step.leaseMs,
      movesPlace: !model.isOurs,
      metricType: 'any',
    });
    if (started.status === 'started') model.tokens.push(started.lease.token);
    return started.status === 'later' ? started.atMs : started.status;
  }

  /** Changes the model, and tells what the answer should be: of a random time, within bounds. */
  #expected(step: JobAct, model: Model): (answer: unknown) => unknown {
    const nowMs = this.desk.clock.nowMs();
    const { status } = model;
    if (step.kind === 'start') return this.#start(model, nowMs, step.leaseMs);
    if (step.kind === 'renew') return this.#renew(model, nowMs + step.leaseMs);
    if (step.kind === 'finish') return this.#finish(model, nowMs, step);
    if (step.kind === 'cancel') {
      if (status === 'completed' || status === 'rejected') return () => 'job_not_open';
      model.status = 'cancelled';
      return () => 'cancelled';
    }
    if (status === 'queued') return () => 'queued';
    if (status !== 'failed' && status !== 'dead') return () => 'job_not_open';
    Object.assign(model, { status: 'queued', attempts: 0, visibleAtMs: nowMs });
    return () => 'queued';
  }

  #start(model: Model, nowMs: number, leaseMs: number) {
    if (!['queued', 'processing', 'failed'].includes(model.status)) return () => 'gone';
    const freeAtMs = model.status === 'processing' ? model.leaseUntilMs : model.visibleAtMs;
    if (freeAtMs > nowMs) return () => freeAtMs;
    if (model.attempts >= model.maxAttempts) {
      model.status = 'dead';
      return () => 'gone';
    }
    model.status = 'processing';
    model.attempts += 1;
    this.#leaseUntil(model, nowMs + leaseMs);
    return () => 'started';
  }

  #renew(model: Model, untilMs: number) {
    if (model.status !== 'processing') return () => 'lease_lost';
    this.#leaseUntil(model, Math.max(untilMs, model.leaseUntilMs));
    const { leaseUntilMs } = model;
    return () => leaseUntilMs;
  }

  #leaseUntil(model: Model, untilMs: number): void {
    model.leaseUntilMs = untilMs;
    if (!model.isOurs) model.visibleAtMs = untilMs;
  }

  #finish(model: Model, nowMs: number, { how, back }: Extract<Act, { kind: 'finish' }>) {
    const token = model.tokens.at(-1 - back) ?? 'none';
    const { reported } = model;
    const kind = how === 'final' ? 'failed' : how;
    if (reported?.token === token && reported.how === kind) {
      return (answer: unknown) => {
        expect(answer).toMatchObject({ nextAtMs: reported.nextAtMs });
        return answer;
      };
    }
    if (model.status !== 'processing' || back > 0 || model.tokens.length === 0) {
      return () => 'lease_lost';
    }
    const isDead = how === 'final' || model.attempts >= model.maxAttempts;
    const status = kind === 'failed' && isDead ? 'dead' : kind;
    model.status = status;
    return (answer: unknown) => {
      const { nextAtMs } = answer as { nextAtMs: number | null };
      model.reported = { token, how: kind, nextAtMs };
      if (status !== 'failed') return { status, nextAtMs: null };
      const waitMs = (nextAtMs ?? 0) - nowMs;
      const fullMs = Math.min(5000, 1000 * 2 ** (model.attempts - 1));
      expect(waitMs).toBeGreaterThanOrEqual(fullMs / 2);
      expect(waitMs).toBeLessThanOrEqual(fullMs);
      model.visibleAtMs = nowMs + waitMs;
      return { status, nextAtMs };
    };
  }
}
