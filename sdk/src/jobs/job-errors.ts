import { HmsError } from '../api/errors.ts';

/** The job is not acceptable: for good. */
export class JobRejectedError extends HmsError {
  override readonly name = 'JobRejectedError';
  /** The id of the job. */
  readonly job: string;
  /** Which found so. */
  readonly validator: string;
  readonly reason: string;

  constructor(job: string, validator: string, reason: string) {
    super(`Job ${job} was rejected by ${validator}: ${reason}`);
    this.job = job;
    this.validator = validator;
    this.reason = reason;
  }
}

/** The last attempt failed, or its worker gave it up. It waits for a person, or for `retry()`. */
export class JobDeadError extends HmsError {
  override readonly name = 'JobDeadError';
  readonly job: string;
  /** Why the last attempt failed: `handler_failed`, `timeout`, `lease_lost`, or the worker's own. */
  readonly code: string;
  readonly reason: string;

  constructor(job: string, code: string, reason: string) {
    super(`Job ${job} is dead (${code}): ${reason}`);
    this.job = job;
    this.code = code;
    this.reason = reason;
  }
}

/** Somebody gave the job up: for good. */
export class JobCancelledError extends HmsError {
  override readonly name = 'JobCancelledError';
  readonly job: string;

  constructor(job: string) {
    super(`Job ${job} was cancelled.`);
    this.job = job;
  }
}
