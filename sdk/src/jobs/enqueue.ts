import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import type { EnqueuedJob, NewJob } from '../wire/job.ts';
import { getJob, type Job } from './job.ts';

export interface EnqueueOptions extends NewJob, CallOptions {
  /**
   * Names the request: the same again within 7 days is the same job. A new one unless given, so that
   * a call whose answer was lost can be repeated here.
   */
  readonly idempotencyKey?: string;
  /** On whose behalf; needs the scope `act:subject`. */
  readonly subject?: string;
  /** Of that subject. */
  readonly region?: string;
}

/**
 * Hands a job in. It is stored when this resolves, and done when its turn comes.
 * Errors: `ProblemError`, such as of data that its worker does not take; `NoAnswerError`.
 */
export async function enqueue<Result = unknown>(options: EnqueueOptions): Promise<Job<Result>> {
  const { connection, signal, idempotencyKey, subject, region, ...job } = options;
  const api = connect(connection);
  const { id } = await api.json<EnqueuedJob>({
    method: 'POST',
    path: '/jobs',
    json: job,
    headers: {
      'idempotency-key': idempotencyKey ?? crypto.randomUUID(),
      'x-subject': subject,
      'x-region': region,
    },
    idempotent: true,
    signal,
  });
  return getJob<Result>(id, { connection: api });
}
