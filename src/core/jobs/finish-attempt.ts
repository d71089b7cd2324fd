import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { AppError, TooLarge } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { Json } from '../values/json.ts';
import { changeJob, type ChangeOptions, type JobChange, type JobDeps } from './change-job.ts';
import { countAttempt } from './count-attempt.ts';
import { jobLimits } from './job-limits.ts';
import type { JobError, JobRecord, JobRef, JobReport } from './job-record.ts';
import type { JobEmission } from './job-transaction.ts';
import { plainMessage } from './plain-message.ts';
import { backOffMs, type RetryPolicy } from './retry-schedule.ts';

/** How an attempt ended. */
export type AttemptOutcome =
  | {
      readonly kind: 'completed';
      readonly result: Json;
      readonly emissions?: readonly JobEmission[];
      /** What the handler wants written, as part of the completion. */
      readonly writes?: () => Promise<readonly RecordWrite[]>;
    }
  | { readonly kind: 'rejected'; readonly validator: string; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      /** Do not try again. */
      readonly final?: boolean;
      /** Wait at least so long. */
      readonly retryAfterMs?: number;
    };

type Completion = Extract<AttemptOutcome, { kind: 'completed' }>;
type Failure = Extract<AttemptOutcome, { kind: 'failed' }>;

export type FinishedAttempt = Pick<JobReport, 'status' | 'nextAtMs'>;

type FinishDeps = JobDeps & Pick<Deps, 'metrics'>;

interface Finish extends ChangeOptions {
  /** Of the attempt: whoever does not have it any more changes nothing. */
  readonly token: string;
  readonly retry: Pick<RetryPolicy, 'baseMs' | 'maxMs'>;
  /** How metrics call the type. */
  readonly metricType: string;
}

/**
 * Ends an attempt: completion, with all that the worker wants written and told, in one commit; a
 * rejection; or a failure, after which the job waits for its next attempt or is dead. A repeat of
 * the latest report answers the same, and does nothing.
 * Errors: `lease_lost` when the attempt is no longer the caller's; `TooLarge`; those of `commit`,
 * and of `writes`.
 */
export async function finishAttempt(
  deps: FinishDeps,
  origin: Origin,
  ref: JobRef,
  outcome: AttemptOutcome,
  { token, retry, metricType, ...options }: Finish,
): Promise<FinishedAttempt> {
  if (outcome.kind === 'completed') checkSizes(outcome);
  const finished = await changeJob<{ report: JobReport; ended: JobRecord | null }>(
    deps,
    origin,
    ref,
    async ({ value: job }) => {
      const { reported } = job;
      if (reported?.token === token && isSame(reported, outcome)) {
        return { result: { report: reported, ended: null } };
      }
      requireLease(job, token);
      const change = await changeOf(job, outcome, retry, deps.clock.nowMs());
      const { status, visibleAtMs } = change.job;
      const report = { token, status, nextAtMs: status === 'failed' ? visibleAtMs : null };
      return {
        ...change,
        job: { ...change.job, lease: null, reported: report },
        result: ({ value }) => ({ report, ended: value }),
      };
    },
    options,
  );
  if (finished.ended !== null) countAttempt(deps, finished.ended, metricType);
  const { status, nextAtMs } = finished.report;
  return { status, nextAtMs };
}

/** Errors: `lease_lost` for whoever does not have the job, or does no longer. */
export function requireLease({ status, lease }: JobRecord, token: string): void {
  if (status === 'processing' && lease?.token === token) return;
  throw new AppError(
    'lease_lost',
    'This lease is over: the job has ended, was cancelled, or is leased to another worker. Drop it.',
  );
}

function isSame({ status }: JobReport, { kind }: AttemptOutcome): boolean {
  return status === kind || (status === 'dead' && kind === 'failed');
}

type Change = Omit<JobChange<never>, 'result'>;

async function changeOf(
  job: JobRecord,
  outcome: AttemptOutcome,
  retry: Finish['retry'],
  nowMs: number,
): Promise<Change> {
  if (outcome.kind === 'completed') return completed(job, outcome);
  if (outcome.kind === 'failed') return failed(job, outcome, retry, nowMs);
  const { validator } = outcome;
  const error = errorOf('rejected', outcome.reason, validator);
  return {
    action: 'job.rejected',
    job: { ...job, status: 'rejected', error },
    detail: `${validator}: ${error.message}`,
    facts: { error: { ...error } },
  };
}

async function completed(
  job: JobRecord,
  { result, emissions = [], writes }: Completion,
): Promise<Change> {
  const events = emissions.map((emission) => ({ ...emission }));
  return {
    action: 'job.completed',
    job: { ...job, status: 'completed', result, error: null },
    facts: { result, ...(events.length === 0 ? {} : { events }) },
    writes: (await writes?.()) ?? [],
  };
}

function failed(
  job: JobRecord,
  { code, message, final, retryAfterMs = 0 }: Failure,
  retry: Finish['retry'],
  nowMs: number,
): Change {
  const error = errorOf(code, message, null);
  const facts = { error: { ...error } };
  const detail = error.message;
  if (final === true || job.attempts >= job.maxAttempts) {
    return { action: 'job.dead', job: { ...job, status: 'dead', error }, detail, facts };
  }
  const waitMs = Math.min(
    jobLimits.maxDelayMs,
    Math.max(retryAfterMs, backOffMs(job.attempts, retry)),
  );
  const visibleAtMs = nowMs + waitMs;
  return {
    action: 'job.failed',
    job: { ...job, status: 'failed', error, visibleAtMs },
    detail,
    facts: { ...facts, nextAttemptAt: new Date(visibleAtMs).toISOString() },
  };
}

function errorOf(code: string, message: string, validator: string | null): JobError {
  return { code, message: plainMessage(message, jobLimits.maxMessageChars), validator };
}

function checkSizes({ result, emissions = [] }: Completion): void {
  const { maxResultBytes, maxEmittedBytes } = jobLimits;
  if (sizeOf(result) > maxResultBytes) {
    throw new TooLarge(
      `The result of a job has at most ${maxResultBytes} bytes; store it and name it.`,
    );
  }
  if (sizeOf(emissions) > maxEmittedBytes) {
    throw new TooLarge(`The events of a job have at most ${maxEmittedBytes} bytes together.`);
  }
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
