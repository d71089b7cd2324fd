import type * as z from 'zod';
import type { newJob } from '../../contract/job-schemas.ts';
import { jobOperations } from '../../contract/operations/job-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { claimReview } from '../../core/claims/claim-record.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import { requireJob } from '../../core/jobs/change-job.ts';
import { isOpenJob, type JobRecord, type JobStatus } from '../../core/jobs/job-record.ts';
import { logOfJob } from '../../core/jobs/job-keys.ts';
import { listJobs } from '../../core/jobs/list-jobs.ts';
import { cancelJob, retryJob } from '../../core/jobs/manage-jobs.ts';
import { readJobData } from '../../core/jobs/read-job.ts';
import {
  type JobRequest,
  sendJob,
  type SubmitDeps,
  submitJob,
} from '../../core/jobs/submit-job.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { jobSummaryView, jobView } from '../job-views.ts';
import { readerOf } from '../reader-of.ts';
import { jsonReply } from '../reply.ts';
import { type Call, originOf, type Route, route } from '../route.ts';

const idShape = /^[0-9a-z-]{20,40}$/;
/** The type, and the place among the open jobs of the type. */
const openShape = /^[a-z0-9._-]{1,64}\/[0-2]#\d{15}#[0-9a-z-]{20,40}$/;

/** Jobs, for those who want work done. */
export function jobRoutes(deps: SubmitDeps): Route[] {
  return [enqueue(deps), ...readJobs(deps), list(deps), retry(deps), cancel(deps)];
}

function enqueue(deps: SubmitDeps): Route {
  return route(jobOperations.enqueueJob, async (call) => {
    const { body, headers, principal } = call;
    requirePublic(deps, body.type);
    const { subject, region } = readerOf(principal, headers);
    const key = headers['idempotency-key'] ?? null;
    const asked = { ...requestOf(deps, body, subject, key), region };
    const { id, status } = await submitJob(deps, originOf(call), asked);
    const told: Record<string, string> = { location: `/jobs/${id}` };
    if (status === 'known') told['idempotent-replayed'] = 'true';
    return jsonReply(202, { id, status: 'queued' }, told);
  });
}

/** Errors: `InvalidRequest` for a type whose jobs come of something else: a claim, an event. */
function requirePublic({ workers }: SubmitDeps, type: string): void {
  if (type !== claimReview && workers.get(type)?.isInternal !== true) return;
  const how = type === claimReview ? 'POST /claims makes one' : 'the service makes its jobs itself';
  throw new InvalidRequest(`Jobs of the type ${type} are not enqueued.`, [
    { pointer: '/type', detail: how },
  ]);
}

function requestOf(
  { clock }: Pick<Deps, 'clock'>,
  body: z.output<typeof newJob>,
  subject: string,
  key: string | null,
): JobRequest {
  const { type, data, priority, notBefore, delaySeconds, maxAttempts = null, reason = null } = body;
  const delayed = delaySeconds === undefined ? null : clock.nowMs() + delaySeconds * 1000;
  const notBeforeMs = notBefore === undefined ? delayed : Date.parse(notBefore);
  return { type, data, priority, notBeforeMs, maxAttempts, subject, idempotencyKey: key, reason };
}

function readJobs(deps: SubmitDeps): Route[] {
  return [
    route(jobOperations.getJob, async (call) => {
      const { value } = await requireJob(deps, refOf(call));
      return jsonReply(200, pageOf(deps, value));
    }),
    route(jobOperations.getJobData, async (call) => {
      const { value } = await requireJob(deps, refOf(call));
      return jsonReply(200, await readJobData(deps, call.principal.tenant, value));
    }),
  ];
}

function pageOf({ jobJournals }: Pick<Deps, 'jobJournals'>, job: JobRecord) {
  return jobView(job, logOfJob(job, jobJournals));
}

function list(deps: SubmitDeps): Route {
  return route(jobOperations.listJobs, async ({ principal, query }) => {
    const { type, status, limit } = query;
    const cursor = decodeCursor(query.cursor, hasOpenCursor(status) ? openShape : idShape);
    const page = await listJobs(deps, principal.tenant, { type, status }, cursor, limit);
    const next = encodeCursor(page.next);
    return jsonReply(200, { items: page.items.map(jobSummaryView), next });
  });
}

function hasOpenCursor(status: JobStatus | undefined): boolean {
  return status !== undefined && isOpenJob({ status });
}

function retry(deps: SubmitDeps): Route {
  return route(jobOperations.retryJob, async (call) => {
    const ref = refOf(call);
    const job = await retryJob(deps, originOf(call), ref, call.body?.reason ?? null);
    await giveTurn(deps, ref.tenant, job);
    return jsonReply(200, pageOf(deps, job));
  });
}

/** Its turn has been taken out of the queue, or comes at the time of its next attempt. */
async function giveTurn(deps: SubmitDeps, tenant: string, job: JobRecord): Promise<void> {
  const { id, type, priority, visibleAtMs } = job;
  if (!deps.workers.has(type)) return;
  await sendJob(deps, { tenant, id, type, priority, notBeforeMs: visibleAtMs });
}

function cancel(deps: SubmitDeps): Route {
  return route(jobOperations.cancelJob, async (call) => {
    const reason = call.headers['x-reason'] ?? null;
    return jsonReply(200, pageOf(deps, await cancelJob(deps, originOf(call), refOf(call), reason)));
  });
}

function refOf({
  principal,
  params,
}: Pick<Call<typeof jobOperations.getJob>, 'principal' | 'params'>) {
  return { tenant: principal.tenant, id: params.job };
}
