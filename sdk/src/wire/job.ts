export type JobStatus =
  | 'queued'
  | 'processing'
  | 'completed'
  | 'rejected'
  | 'failed'
  | 'dead'
  | 'cancelled';

export type JobPriority = 'high' | 'normal' | 'low';

/** A job to be taken on. */
export interface NewJob {
  /** What is to be done, such as `pothole.report`. */
  readonly type: string;
  /** Any JSON, of at most 5 MiB. */
  readonly data: unknown;
  /** `normal` unless given. */
  readonly priority?: JobPriority | undefined;
  /** RFC 3339: not started before then; within 90 days. */
  readonly notBefore?: string | undefined;
  /** The same, from now on. */
  readonly delaySeconds?: number | undefined;
  /** 1 to 25; as its worker has it, else 5. */
  readonly maxAttempts?: number | undefined;
  /** For the journal. */
  readonly reason?: string | undefined;
}

export interface EnqueuedJob {
  readonly id: string;
  readonly status: 'queued';
}

/** What every form of a job tells. */
interface JobCore {
  readonly id: string;
  /** Unique per tenant: what is called after the job has it. */
  readonly number: number;
  readonly type: string;
  readonly priority: JobPriority;
  /** Who enqueued it. */
  readonly actor: string;
  /** On whose behalf. */
  readonly subject: string;
  readonly createdAt: string;
  readonly maxAttempts: number;
  /** Null when it is too large to come along. */
  readonly data: unknown;
  readonly dataSizeBytes: number | null;
  readonly dataPath: string | null;
}

/** What `GET /jobs/{job}` answers. */
export interface JobPage extends JobCore {
  readonly status: JobStatus;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly worker: string | null;
  readonly leaseUntil: string | null;
  readonly progress: {
    readonly percent: number;
    readonly note: string | null;
    readonly at: string;
  } | null;
  /** Why the latest attempt did not complete it. */
  readonly error: JobFault | null;
  readonly endedAt: string | null;
  /** The journal that tells of it. */
  readonly log: string;
  /** What its worker answered; null before that. */
  readonly result: unknown;
  readonly history: readonly {
    readonly at: string;
    readonly status: JobStatus;
    readonly attempt: number;
    readonly by: string;
    readonly detail: string | null;
  }[];
}

export interface JobFault {
  readonly code: string;
  readonly message: string;
  /** The one that rejected it. */
  readonly validator: string | null;
}

/** A job that is the caller's alone until `leaseUntil`. */
export interface LeasedJob extends JobCore {
  /** W3C trace context of the call that enqueued it: the work may go on in it. */
  readonly traceparent?: string | undefined;
  /** 1 for the first. */
  readonly attempt: number;
  /** Names the attempt to all calls about it; a secret. */
  readonly lease: string;
  readonly leaseUntil: string;
}

interface JobEntry {
  readonly tenant: string;
  /** Its id. */
  readonly job: string;
  /** The entry in the journal of the job. */
  readonly index: number;
  readonly at: string;
}

export type JobAction =
  | 'job.queued'
  | 'job.started'
  | 'job.progressed'
  | 'job.completed'
  | 'job.rejected'
  | 'job.failed'
  | 'job.dead'
  | 'job.cancelled'
  | 'job.retried';

/** A step of a job. */
export interface JobChange extends JobEntry {
  readonly action: JobAction;
  readonly type: string;
  readonly status: JobStatus;
  readonly attempt: number;
  readonly number?: number | undefined;
  readonly actor: string;
  readonly reason: string | null;
  readonly priority?: JobPriority | undefined;
  readonly subject?: string | undefined;
  readonly notBefore?: string | null | undefined;
  readonly dataDigest?: string | undefined;
  readonly worker?: string | undefined;
  /** With `job.progressed`. */
  readonly progress?: { readonly percent: number; readonly note: string | null } | undefined;
  /** With `job.completed`. */
  readonly result?: unknown;
  /** With `job.rejected`, `job.failed` and `job.dead`. */
  readonly error?: JobFault | undefined;
  /** With `job.failed`. */
  readonly nextAttemptAt?: string | undefined;
  /** What was stored together with the step may tell more. */
  readonly [more: string]: unknown;
}

/** What the completion of a job told besides, such as `case.opened`. */
export interface JobEmission extends JobEntry {
  /** As its worker called it. */
  readonly action: string;
  /** What it is about, such as `CASE-7`. */
  readonly subject: string;
  readonly data: unknown;
}

/** A message of the stream of a job. */
export type JobMessage = JobChange | JobEmission;
