import type { JobPriority } from '../core/jobs/job-record.ts';

/** A job that wants its turn. Tenant, type and id: `[A-Za-z0-9._-]{1,128}`. */
export interface QueuedJob {
  readonly tenant: string;
  readonly type: string;
  readonly id: string;
  readonly priority: JobPriority;
  /**
   * Unix ms before which it is not handed out. When they are more than 15 minutes away it may be
   * handed out after 15 minutes: its record refuses the start, and the caller hides it again.
   */
  readonly notBeforeMs: number;
}

/** A job whose turn it is: hidden from all others until `hide` or its time runs out. */
export interface JobTurn {
  readonly tenant: string;
  readonly type: string;
  readonly id: string;
  /** Names this turn to `hide` and `remove`. */
  readonly receipt: string;
}

/** How many turns a receiver wants, and how long it waits for the first. */
export interface TurnWish {
  /** 1 to 10. */
  readonly max: number;
  /** How long each is hidden: 1 to 39 600 000, 11 hours. */
  readonly hideMs: number;
  /** 0 to 20 000. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whose turn it is, of the jobs that our own workers do. It only takes turns: what a job is, and
 * whether it may still be started, is in its record. So what the queue lost is sent again, and what
 * it hands out twice is refused by the record.
 *
 * Order: `high` before `normal` before `low`. Within one priority tenants take turns, so that the
 * flood of one does not starve another (how finely is the adapter's affair); of one tenant roughly
 * first come, first served.
 * Times are whole ms. An adapter may count in seconds: then it rounds up.
 * Durability: what `send` acknowledged survives `kill -9`. Turns need not: they may be over when
 * the process that keeps the queue is.
 * Errors: `Unavailable`; the call may or may not have had its effect, and may be repeated.
 */
export interface JobQueue {
  /**
   * 1 to 100 jobs, of any types the queue was made for. One that waits in the queue already may be
   * handed out once or twice; one that has its turn now gets another after this send.
   */
  send(jobs: readonly QueuedJob[]): Promise<void>;
  /**
   * Up to `max` turns of a type, each hidden for `hideMs`. Resolves as soon as there is one, after
   * `waitMs` with none, or when the signal aborts; never rejects for the signal. A turn is handed
   * out to one caller at a time, and again when its time has run out.
   */
  receive(type: string, wish: TurnWish): Promise<JobTurn[]>;
  /**
   * Hides the job for `ms` from now on (0 to 11 hours; a turn lasts 12 hours at most): to work on it
   * longer, or to let it wait; 0 hands it back. `'gone'`: the turn ran out and is another's, or was
   * removed; nothing happened. A queue may fail to notice, so `'hidden'` proves nothing: whether a
   * worker may go on is in the record.
   */
  hide(turn: JobTurn, ms: number): Promise<'hidden' | 'gone'>;
  /** Takes the job out of the queue. No error when the turn ran out: then it may come again. */
  remove(turn: JobTurn): Promise<void>;
}
