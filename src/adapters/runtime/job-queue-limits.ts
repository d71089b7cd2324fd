import type { JobTurn, QueuedJob, TurnWish } from '../../ports/job-queue.ts';

const maxJobs = 100;
const maxTurns = 10;
const maxHideMs = 11 * 3_600_000;
const maxWaitMs = 20_000;

const nameForm = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The limits of the JobQueue port, one and the same for every adapter. A breach is a defect of the
 * caller: `RangeError`, before anything is sent or handed out.
 */
export function checkJobs(jobs: readonly QueuedJob[]): void {
  if (jobs.length < 1 || jobs.length > maxJobs) {
    throw new RangeError(`send takes 1 to ${maxJobs} jobs, not ${jobs.length}`);
  }
  for (const job of jobs) {
    if (!hasNames(job)) {
      throw new RangeError('tenant, type and id of a job are each 1 to 128 of A-Z a-z 0-9 . _ -');
    }
    if (!Number.isSafeInteger(job.notBeforeMs)) {
      throw new RangeError(`notBeforeMs is a whole number of ms, not ${job.notBeforeMs}`);
    }
  }
}

export function checkWish({ max, hideMs, waitMs }: TurnWish): void {
  checkWhole('max', max, 1, maxTurns);
  checkWhole('hideMs', hideMs, 1, maxHideMs);
  checkWhole('waitMs', waitMs, 0, maxWaitMs);
}

export function checkHideMs(ms: number): void {
  checkWhole('ms', ms, 0, maxHideMs);
}

export function hasNames({ tenant, type, id }: Omit<JobTurn, 'receipt'>): boolean {
  return nameForm.test(tenant) && nameForm.test(type) && nameForm.test(id);
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is a whole number from ${min} to ${max}, not ${value}`);
  }
}
