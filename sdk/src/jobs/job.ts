import type { CallOptions, SignalOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import { sleep } from '../api/delays.ts';
import { followToEnd } from '../api/follow-to-end.ts';
import { patiently } from '../api/patiently.ts';
import type { JobMessage, JobPage } from '../wire/job.ts';
import { JobCancelledError, JobDeadError, JobRejectedError } from './job-errors.ts';

export interface ReasonOptions extends SignalOptions {
  /** One line of ASCII, for the journal. */
  readonly reason?: string;
}

/** A job that was handed in. */
export interface Job<Result = unknown> {
  readonly id: string;
  /** As it is now. */
  readonly status: (options?: SignalOptions) => Promise<JobPage>;
  /**
   * Every step from the first on, as it happens, and what the job emits. Ends when the job ends, and
   * goes on by itself after a break. Errors: `ProblemError`; the reason of the signal.
   */
  readonly progress: (options?: SignalOptions) => AsyncGenerator<JobMessage, void, undefined>;
  /**
   * What its worker answered, as soon as it is done. Waits for as long as that takes: give a signal.
   * Errors: `JobRejectedError`, `JobDeadError`, `JobCancelledError`; those of `progress`.
   */
  readonly done: (options?: SignalOptions) => Promise<Result>;
  /** Gives it up: nothing of what a worker does for it from now on is kept. Errors: `ProblemError`. */
  readonly cancel: (options?: ReasonOptions) => Promise<JobPage>;
  /** Has it tried again when it is dead, or at once when it has failed. Errors: `ProblemError`. */
  readonly retry: (options?: ReasonOptions) => Promise<JobPage>;
}

const ends: ReadonlySet<string> = new Set([
  'job.completed',
  'job.rejected',
  'job.dead',
  'job.cancelled',
]);
const pauseMs = 1000;

/** The job of that id. Nothing is asked yet. */
export function getJob<Result = unknown>(
  id: string,
  { connection }: Pick<CallOptions, 'connection'> = {},
): Job<Result> {
  const api = connect(connection);
  const path = `/jobs/${encodeURIComponent(id)}`;
  const job: Job<Result> = {
    id,
    status: async ({ signal } = {}) => api.json<JobPage>({ path, signal }),
    progress: ({ signal } = {}) => followToEnd<JobMessage>(api, `${path}/events`, endsWith, signal),
    async done(options = {}) {
      for (;;) {
        for await (const { action } of job.progress(options)) {
          if (!ends.has(action)) continue;
          const page = await patiently(async () => job.status(options), options.signal);
          if (page.endedAt !== null) return resultOf(page) as Result;
        }
        // Somebody had it retried right after its end.
        await sleep(pauseMs, options.signal);
      }
    },
    cancel: async ({ reason, signal } = {}) =>
      api.json<JobPage>({ method: 'DELETE', path, headers: { 'x-reason': reason }, signal }),
    retry: async ({ reason, signal } = {}) =>
      api.json<JobPage>({ method: 'POST', path: `${path}/retry`, json: { reason }, signal }),
  };
  return job;
}

function endsWith({ action }: JobMessage): boolean | undefined {
  if (ends.has(action)) return true;
  return action === 'job.retried' ? false : undefined;
}

function resultOf({ id, status, result, error }: JobPage): unknown {
  const { code = '', message = '', validator } = error ?? {};
  if (status === 'rejected') throw new JobRejectedError(id, validator ?? '', message);
  if (status === 'dead') throw new JobDeadError(id, code, message);
  if (status === 'cancelled') throw new JobCancelledError(id);
  return result;
}
