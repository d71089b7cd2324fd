import type * as z from 'zod';
import { workerOperations } from '../../contract/operations/worker-operations.ts';
import type { jobFailure } from '../../contract/worker-schemas.ts';
import { Unavailable } from '../../core/errors/app-error.ts';
import {
  type AttemptOutcome,
  finishAttempt,
  type FinishedAttempt,
} from '../../core/jobs/finish-attempt.ts';
import type { JobRef } from '../../core/jobs/job-record.ts';
import { renewLease, reportProgress } from '../../core/jobs/keep-lease.ts';
import { type LeaseDeps, leaseJobs } from '../../core/jobs/lease-jobs.ts';
import { defaultRetry } from '../../core/jobs/retry-schedule.ts';
import { leasedJobView } from '../job-views.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { type Call, originOf, type Route, route } from '../route.ts';

export interface WorkerRouteDeps extends LeaseDeps {
  /** Ends every wait for a job: the server goes down. */
  readonly stop?: AbortSignal;
}

/** Calls that one process lets wait for a job at a time; the next is told to come back. */
const maxWaiting = 1000;

/** Jobs, for workers outside. */
export function workerRoutes(deps: WorkerRouteDeps): Route[] {
  return [lease(deps), ...keep(deps), ...finish(deps)];
}

function lease(deps: WorkerRouteDeps): Route {
  let waiting = 0;
  return route(workerOperations.leaseJobs, async (call) => {
    const { types, limit, leaseSeconds, waitSeconds } = call.body;
    if (waiting >= maxWaiting) throw new Unavailable('Too many workers wait for jobs here.');
    waiting += 1;
    try {
      const { signal } = call;
      const leased = await leaseJobs(deps, originOf(call), {
        types,
        limit,
        leaseMs: leaseSeconds * 1000,
        waitMs: waitSeconds * 1000,
        stop: deps.stop === undefined ? signal : AbortSignal.any([signal, deps.stop]),
      });
      return jsonReply(200, { jobs: leased.map(leasedJobView) });
    } finally {
      waiting -= 1;
    }
  });
}

function keep(deps: WorkerRouteDeps): Route[] {
  return [
    route(workerOperations.heartbeatJob, async (call) =>
      keptReply(deps, refOf(call), call.body.lease, call.body.leaseSeconds),
    ),
    route(workerOperations.reportProgress, async (call) => {
      const { lease: token, percent, note = null, leaseSeconds } = call.body;
      await reportProgress(deps, originOf(call), refOf(call), token, { percent, note });
      return keptReply(deps, refOf(call), token, leaseSeconds);
    }),
  ];
}

async function keptReply(
  deps: WorkerRouteDeps,
  ref: JobRef,
  token: string,
  leaseSeconds: number,
): Promise<Reply> {
  const untilMs = await renewLease(deps, ref, token, leaseSeconds * 1000);
  return jsonReply(200, { leaseUntil: new Date(untilMs).toISOString() });
}

function finish(deps: WorkerRouteDeps): Route[] {
  return [
    route(workerOperations.completeJob, async (call) => {
      const { lease: token, result, events } = call.body;
      const outcome = { kind: 'completed', result, emissions: events } as const;
      const { status } = await finishedBy(deps, call, token, outcome);
      return jsonReply(200, { status });
    }),
    route(workerOperations.failJob, async (call) => {
      const outcome = outcomeOf(call.body);
      const { status, nextAtMs } = await finishedBy(deps, call, call.body.lease, outcome);
      const nextAttemptAt = nextAtMs === null ? null : new Date(nextAtMs).toISOString();
      return jsonReply(200, { status, nextAttemptAt });
    }),
  ];
}

function outcomeOf(body: z.output<typeof jobFailure>): AttemptOutcome {
  if ('reject' in body) return { kind: 'rejected', ...body.reject };
  const { code, message, final, retryAfterSeconds } = body;
  return { kind: 'failed', code, message, final, retryAfterMs: retryAfterSeconds * 1000 };
}

type CallAboutJob = Pick<
  Call<typeof workerOperations.completeJob>,
  'principal' | 'params' | 'requestId' | 'trace'
>;

async function finishedBy(
  deps: WorkerRouteDeps,
  call: CallAboutJob,
  token: string,
  outcome: AttemptOutcome,
): Promise<FinishedAttempt> {
  // Which types there are is the callers' affair: metrics count them as one.
  const terms = { token, retry: defaultRetry, metricType: 'other' };
  return finishAttempt(deps, originOf(call), refOf(call), outcome, terms);
}

function refOf({ principal, params }: CallAboutJob): JobRef {
  return { tenant: principal.tenant, id: params.job };
}
