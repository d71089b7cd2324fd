import type { Json } from '../values/json.ts';

/** In the order in which they are served. */
export const jobPriorities = ['high', 'normal', 'low'] as const;

export type JobPriority = (typeof jobPriorities)[number];

/**
 * `queued`: waits for its turn. `processing`: a worker has it. `failed`: an attempt failed, and the
 * next one waits for its time. The rest are ends: `rejected` by a validator, and never tried again;
 * `dead` after its last attempt, until a person has it retried.
 */
export const jobStatuses = [
  'queued',
  'processing',
  'failed',
  'completed',
  'rejected',
  'dead',
  'cancelled',
] as const;

export type JobStatus = (typeof jobStatuses)[number];

/** What a job type is called: `pothole.report`. */
export const jobTypePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Whose turn it is to work on a job. */
export interface JobLease {
  /** Only who knows it may report on the job: the worker of this attempt. */
  readonly token: string;
  /** Who works on it: a process of ours, or the client that leased it. */
  readonly worker: string;
  readonly untilMs: number;
}

export interface JobProgress {
  /** 0 to 100. */
  readonly percent: number;
  readonly note: string | null;
  readonly at: string;
}

/** Why the last attempt did not complete the job. */
export interface JobError {
  /** `handler_failed`, `timeout`, `lease_lost`, `transaction_conflict`, or `rejected`. */
  readonly code: string;
  readonly message: string;
  /** The validator that rejected it; `governance` for the vet. */
  readonly validator: string | null;
}

/** How an attempt ended, as its worker reported. */
export interface JobReport {
  /** Of its lease. */
  readonly token: string;
  readonly status: JobStatus;
  /** Unix ms of the attempt that was to follow; null: none. */
  readonly nextAtMs: number | null;
}

/** One step of a job's life. */
export interface JobStep {
  readonly at: string;
  readonly status: JobStatus;
  /** The attempt that it belongs to; 0 before the first. */
  readonly attempt: number;
  readonly by: string;
  readonly detail: string | null;
}

/** Where data is that is too large for the record. */
export interface JobDataRef {
  /** SHA-256 of the JSON text, 64 hex digits: its address in the blob store. */
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface JobRecord {
  readonly id: string;
  /** Unique per tenant, for what is called after a job: `CASE-7`, `CLM-7`. */
  readonly number: number;
  readonly type: string;
  readonly status: JobStatus;
  readonly priority: JobPriority;
  /** The client or user that enqueued it. */
  readonly actor: string;
  /** On whose behalf. */
  readonly subject: string;
  /** Of whom it is on behalf of, where that is known: governance may ask for it. */
  readonly region?: string;
  readonly requestId: string;
  /** Of the call that enqueued it, where one did (https://www.w3.org/TR/trace-context/). */
  readonly traceparent?: string;
  /** Null when it is in the blob store. */
  readonly data: Json;
  readonly dataRef: JobDataRef | null;
  readonly createdAt: string;
  /** Unix ms: its place among the open jobs. Not started before then. */
  readonly visibleAtMs: number;
  /** Attempts begun since it was enqueued, or retried by a person. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Set while it is processing. */
  readonly lease: JobLease | null;
  readonly progress: JobProgress | null;
  readonly result: Json;
  readonly error: JobError | null;
  /** The latest steps, oldest first. */
  readonly history: readonly JobStep[];
  readonly endedAt: string | null;
  /** The latest, so that a worker whose answer was lost may repeat it. */
  readonly reported?: JobReport;
  /** Set for one that does not expire when it has ended. */
  readonly isKept?: true;
  /** Its first entry in its journal. */
  readonly firstIndex: number;
}

/** The address of a job. */
export interface JobRef {
  readonly tenant: string;
  readonly id: string;
}

/** How far the work on a job has come: whatever its worker said last, one that has completed is done. */
export function progressOf({ status, progress, endedAt }: JobRecord): JobProgress | null {
  if (status !== 'completed' || endedAt === null) return progress;
  return { percent: 100, note: null, at: endedAt };
}

export function isOpenJob({ status }: Pick<JobRecord, 'status'>): boolean {
  return status === 'queued' || status === 'processing' || status === 'failed';
}
