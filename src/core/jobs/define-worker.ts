import type { Json } from '../values/json.ts';
import { jobLimits } from './job-limits.ts';
import { type JobRecord, jobTypePattern } from './job-record.ts';
import type { JobTransaction } from './job-transaction.ts';
import type { RetryPolicy } from './retry-schedule.ts';

/** What we use of Standard Schema (https://standardschema.dev), which zod and others speak. */
export interface DataSchema<Data> {
  readonly '~standard': {
    readonly validate: (value: unknown) => SchemaResult<Data> | Promise<SchemaResult<Data>>;
  };
}

type SchemaResult<Data> =
  | { readonly value: Data; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What validators and handlers know of the job that they work on. */
export interface JobContext<Data> {
  readonly tenant: string;
  readonly job: Pick<
    JobRecord,
    'id' | 'number' | 'type' | 'actor' | 'subject' | 'createdAt' | 'attempts'
  >;
  readonly data: Data;
  /** Of this attempt. What a validator reads is checked in the commit of the handler's writes. */
  readonly tx: JobTransaction;
}

export interface HandlerContext<Data> extends JobContext<Data> {
  /**
   * Tells how far the work has come, `percent` of 100. Kept at most four times a second: what comes
   * in between is dropped. Never rejects: a handler may go on without waiting for it.
   */
  readonly progress: (percent: number, note?: string) => Promise<void>;
  /** Aborts when the attempt has taken too long, was cancelled, or lost its lease. */
  readonly signal: AbortSignal;
}

/** A check that must pass before work starts. */
export interface Validator<Data> {
  /** What a rejection names: `duplicate`. */
  readonly name: string;
  /** Null when it passes, else why not: then the job is rejected, and not tried again. */
  check(context: JobContext<Data>): Promise<string | null>;
}

export interface WorkerDefinition<Data> {
  readonly type: string;
  /** Checked when a job is enqueued, and again before it is worked on. */
  readonly schema: DataSchema<Data>;
  /** Only the service itself makes jobs of the type: no caller enqueues one. */
  readonly isInternal?: true;
  /** In order; the first that does not pass rejects the job. */
  readonly validators?: readonly Validator<Data>[];
  /**
   * Does the work, and answers the job's result, JSON of at most 64 KiB. What it throws fails the
   * attempt. It may be called again for the same job; what it does through `tx` happens once.
   */
  handler(context: HandlerContext<Data>): Promise<Json>;
  readonly retry?: Partial<RetryPolicy>;
  /** How long one attempt may take; 60 000 unless given, at most 900 000. */
  readonly timeoutMs?: number;
  /** How many jobs of the type one process works on at once; 10 unless given. */
  readonly concurrency?: number;
}

/** A worker of some type of data. */
export type Worker = WorkerDefinition<unknown>;

/** A worker, with its data typed by its schema. Errors: `RangeError` for what no worker can be. */
export function defineWorker<Data>(definition: WorkerDefinition<Data>): Worker {
  const { type, timeoutMs = 1, concurrency = 1, retry } = definition;
  const { maxAttempts = 1, baseMs = 0, maxMs = baseMs } = retry ?? {};
  const bounds: [name: string, value: number, least: number, most: number][] = [
    ['timeoutMs', timeoutMs, 1, jobLimits.maxTimeoutMs],
    ['concurrency', concurrency, 1, 1000],
    ['maxAttempts', maxAttempts, 1, jobLimits.maxAttempts],
    ['baseMs', baseMs, 0, jobLimits.maxDelayMs],
    ['maxMs', maxMs, 0, jobLimits.maxDelayMs],
  ];
  if (!jobTypePattern.test(type)) throw new RangeError(`${type} is not a type of jobs`);
  for (const [name, value, least, most] of bounds) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new RangeError(`${name} of ${type} is a whole number from ${least} to ${most}`);
  }
  // `data` is only ever what `schema` answered.
  return definition;
}
