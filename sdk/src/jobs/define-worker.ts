import type { LeasedJob } from '../wire/job.ts';

/** What a worker knows of a job. */
export type WorkerJob = Omit<
  LeasedJob,
  'lease' | 'leaseUntil' | 'data' | 'dataSizeBytes' | 'dataPath'
>;

export interface JobContext<Data> {
  readonly job: WorkerJob;
  /** As it was handed in: what it is like is for the validators to say. */
  readonly data: Data;
  /** Aborts when the attempt has taken too long, lost its lease, or the worker ends. */
  readonly signal: AbortSignal;
}

export interface HandlerContext<Data> extends JobContext<Data> {
  /**
   * Tells how far the work has come, `percent` of 100. Kept at most four times a second: what comes
   * in between is dropped. Never rejects: a handler may go on without waiting for it.
   */
  readonly progress: (percent: number, note?: string) => Promise<void>;
  /** Publishes an event such as `letter.printed` with the completion, or not at all; up to 20. */
  readonly emit: (type: string, subject: string, data?: unknown) => void;
}

/** A check that must pass before work starts. */
export interface Validator<Data> {
  /** What a rejection names: `address`. */
  readonly name: string;
  /** Nothing when it passes, else why not: then the job is rejected, and not tried again. */
  check(context: JobContext<Data>): string | null | undefined | Promise<string | null | undefined>;
}

export interface WorkerDefinition<Data> {
  /** Of the jobs that it does, such as `letter.print`. */
  readonly type: string;
  /** In order; the first that does not pass rejects the job. */
  readonly validators?: readonly Validator<Data>[];
  /**
   * Does the work, and answers the job's result, JSON of at most 64 KiB. What it throws fails the
   * attempt, and another one follows: an `AttemptError` says more. It may be called again for the
   * same job, also after it was done: tell by `job.id`.
   */
  handler(context: HandlerContext<Data>): unknown;
  /** How long one attempt may take; as long as it takes, unless given. */
  readonly timeoutMs?: number;
}

/** A worker of some type of data. */
export type JobWorker = WorkerDefinition<unknown>;

/** A worker for jobs of a type, to be run by `runWorker`. */
export function defineWorker<Data = unknown>(definition: WorkerDefinition<Data>): JobWorker {
  return definition;
}

export interface AttemptErrorOptions {
  /** For machines: `a-z 0-9 _`, such as `printer_jammed`. `handler_failed` unless given. */
  readonly code?: string;
  /** Waits at least so long before the next attempt. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Of an attempt that failed, unless its handler says more. */
export const defaultCode = 'handler_failed';

/** Thrown by a handler: why the attempt failed. */
export class AttemptError extends Error {
  override readonly name: string = 'AttemptError';
  readonly code: string;
  readonly retryAfterSeconds: number;
  readonly final: boolean = false;

  constructor(message: string, options: AttemptErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? defaultCode;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 0;
  }
}

/** Thrown by a handler: no other attempt is of use, and the job is dead. */
export class FinalError extends AttemptError {
  override readonly name = 'FinalError';
  override readonly final = true;
}
