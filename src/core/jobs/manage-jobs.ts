import { Conflict } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { changeJob, type JobDeps } from './change-job.ts';
import { isOpenJob, type JobRecord, type JobRef } from './job-record.ts';

/**
 * Ends a job before it completes. The worker that has it finds that out with its next word, and
 * nothing of what it did is written. A job that was cancelled stays so. Errors: `NotFound`;
 * `Conflict` for one that has ended otherwise.
 */
export async function cancelJob(
  deps: JobDeps,
  origin: Origin,
  ref: JobRef,
  reason: string | null,
): Promise<JobRecord> {
  return changeJob<JobRecord>(deps, origin, ref, async ({ value: job }) => {
    if (job.status === 'cancelled') return { result: job };
    // What is dead may be given up as well.
    if (!isOpenJob(job) && job.status !== 'dead') throw notOpenFor(job, 'cancelled');
    const cancelled: JobRecord = { ...job, status: 'cancelled', lease: null };
    return {
      action: 'job.cancelled',
      job: cancelled,
      reason,
      detail: reason,
      result: ({ value }) => value,
    };
  });
}

/**
 * Has a dead job tried again, from its first attempt on; or one that waits for its next attempt, at
 * once. Errors: `NotFound`; `Conflict` for one that is not dead and has not failed.
 */
export async function retryJob(
  deps: JobDeps,
  origin: Origin,
  ref: JobRef,
  reason: string | null,
): Promise<JobRecord> {
  return changeJob<JobRecord>(deps, origin, ref, async ({ value: job }) => {
    if (job.status === 'queued') return { result: job };
    if (job.status !== 'dead' && job.status !== 'failed') throw notOpenFor(job, 'tried again');
    const retried: JobRecord = {
      ...job,
      status: 'queued',
      attempts: 0,
      visibleAtMs: deps.clock.nowMs(),
      endedAt: null,
    };
    return {
      action: 'job.retried',
      job: retried,
      reason,
      detail: reason,
      result: ({ value }) => value,
    };
  });
}

function notOpenFor({ status }: JobRecord, what: string): Conflict {
  return new Conflict(`The job is ${status}: it cannot be ${what}.`, 'job_not_open');
}
