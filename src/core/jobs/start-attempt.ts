import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { changeJob, type JobChange, type JobDeps, type StoredJob } from './change-job.ts';
import { countAttempt } from './count-attempt.ts';
import {
  isOpenJob,
  type JobError,
  type JobLease,
  type JobPriority,
  type JobRecord,
  type JobRef,
} from './job-record.ts';

export interface AttemptTerms {
  /** Who works on it. */
  readonly worker: string;
  readonly leaseMs: number;
  /** Set where workers are outside: its place among the open jobs says when its lease ends. */
  readonly movesPlace: boolean;
  /** How metrics call the type. */
  readonly metricType: string;
  /** A worker that is known to be dead: its lease binds nobody. */
  readonly isGone?: ((worker: string) => boolean) | undefined;
  /** Saves the read: the record as somebody has just read it. */
  readonly known?: StoredJob;
}

/**
 * `gone`: it has ended, or never was. `later`: not before then, since it waits, or another has it.
 */
export type StartedAttempt =
  | { readonly status: 'started'; readonly stored: StoredJob; readonly lease: JobLease }
  | { readonly status: 'later'; readonly atMs: number; readonly priority: JobPriority }
  | { readonly status: 'gone' };

interface Start {
  readonly answer: StartedAttempt;
  /** The job, when its attempt before was lost. */
  readonly lost?: JobRecord;
}

/**
 * Begins the next attempt of a job for one worker, and nobody else: whatever a queue hands out
 * twice, one start succeeds. A job whose last attempt was lost is dead. Errors: those of `commit`.
 */
export async function startAttempt(
  deps: JobDeps & Pick<Deps, 'metrics'>,
  origin: Origin,
  ref: JobRef,
  terms: AttemptTerms,
): Promise<StartedAttempt> {
  const token = deps.ids.next();
  const decide = async ({
    value: job,
  }: StoredJob): Promise<JobChange<Start> | { result: Start }> => {
    const nowMs = deps.clock.nowMs();
    if (!isOpenJob(job)) return { result: { answer: { status: 'gone' } } };
    const atMs = freeAt(job, terms);
    if (atMs > nowMs) {
      return { result: { answer: { status: 'later', atMs, priority: job.priority } } };
    }
    if (job.attempts >= job.maxAttempts) return lostForGood(job);
    return started(job, { token, worker: terms.worker, untilMs: nowMs + terms.leaseMs }, terms);
  };
  try {
    const { answer, lost } = await changeJob(deps, origin, ref, decide, { known: terms.known });
    if (lost !== undefined) countAttempt(deps, lost, terms.metricType);
    return answer;
  } catch (error) {
    if (error instanceof NotFound) return { status: 'gone' };
    throw error;
  }
}

/** From when on somebody may start it. */
function freeAt({ status, lease, visibleAtMs }: JobRecord, { isGone }: AttemptTerms): number {
  if (status !== 'processing' || lease === null) return visibleAtMs;
  return isGone?.(lease.worker) === true ? 0 : lease.untilMs;
}

function started(job: JobRecord, lease: JobLease, { movesPlace }: AttemptTerms): JobChange<Start> {
  const wasLost = job.status === 'processing';
  const next: JobRecord = {
    ...job,
    status: 'processing',
    attempts: job.attempts + 1,
    lease,
    progress: null,
    error: wasLost ? errorOfLost(job) : job.error,
    visibleAtMs: movesPlace ? lease.untilMs : job.visibleAtMs,
  };
  return {
    action: 'job.started',
    job: next,
    detail: lease.worker,
    facts: { worker: lease.worker },
    result: (stored) => ({
      answer: { status: 'started', stored, lease },
      ...(wasLost ? { lost: stored.value } : {}),
    }),
  };
}

/** Its worker died with it, or was too slow, in the last attempt that it had. */
function lostForGood(job: JobRecord): JobChange<Start> {
  const error = errorOfLost(job);
  return {
    action: 'job.dead',
    job: { ...job, status: 'dead', lease: null, error },
    detail: error.message,
    facts: { error: { ...error } },
    result: ({ value }) => ({ answer: { status: 'gone' }, lost: value }),
  };
}

function errorOfLost({ attempts, maxAttempts }: JobRecord): JobError {
  const message = `The worker was lost in attempt ${attempts} of ${maxAttempts}.`;
  return { code: 'lease_lost', message, validator: null };
}
