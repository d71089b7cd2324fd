import type { QueuedJob } from '../../ports/job-queue.ts';
import type { Deps } from '../deps.ts';
import { InvalidRequest, Unavailable } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { JobDeps } from './change-job.ts';
import type { Worker } from './define-worker.ts';
import { type BesidesJob, enqueueJob, type EnqueuedJob, type NewJob } from './enqueue-job.ts';
import { jobLimits } from './job-limits.ts';
import type { JobRecord } from './job-record.ts';
import { parseJobData } from './parse-job-data.ts';
import { defaultRetry } from './retry-schedule.ts';

/** The workers of this service, by the type of job that each does. */
export type WorkerTable = ReadonlyMap<string, Worker>;

export interface SubmitDeps extends JobDeps, Pick<Deps, 'blobs' | 'queue' | 'log'> {
  readonly workers: WorkerTable;
}

export interface JobRequest extends Omit<NewJob, 'maxAttempts'> {
  /** Null: as its worker, or else the service, has it. */
  readonly maxAttempts: number | null;
}

/**
 * Takes a job on: checks its data, where the service has a worker of its type, stores it, and puts
 * it into the queue. What was stored and could not be put there is found by `reconcileJobs`.
 * Errors: `InvalidRequest`, with each finding by its place; those of `enqueueJob`.
 */
export async function submitJob(
  deps: SubmitDeps,
  origin: Origin,
  asked: JobRequest,
  besides?: BesidesJob,
): Promise<EnqueuedJob> {
  const worker = deps.workers.get(asked.type);
  if (worker !== undefined) await checkData(worker, asked);
  const nowMs = deps.clock.nowMs();
  if ((asked.notBeforeMs ?? 0) > nowMs + jobLimits.maxDelayMs) {
    throw new InvalidRequest('The job is put off too far.', [
      { pointer: '/notBefore', detail: 'name a time within 90 days' },
    ]);
  }
  const retry = { ...defaultRetry, ...worker?.retry };
  const maxAttempts = asked.maxAttempts ?? retry.maxAttempts;
  const enqueued = await enqueueJob(deps, origin, { ...asked, maxAttempts }, besides);
  if (enqueued.status === 'queued' && worker !== undefined) {
    const { type, priority, notBeforeMs } = asked;
    const { tenant } = origin;
    const job = { tenant, type, id: enqueued.id, priority, notBeforeMs: notBeforeMs ?? nowMs };
    await sendJob(deps, job);
  }
  return enqueued;
}

/** Gives a stored job its place in the queue, or leaves that to `reconcileJobs`. */
export async function sendJob(deps: Pick<Deps, 'queue' | 'log'>, job: QueuedJob): Promise<void> {
  try {
    await deps.queue.send([job]);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    deps.log.warn('job not sent', { tenant: job.tenant, job: job.id, error });
  }
}

/** The place in the queue that a job is to have. */
export function queuedJob(
  tenant: string,
  { type, id, priority, visibleAtMs }: JobRecord,
): QueuedJob {
  return { tenant, type, id, priority, notBeforeMs: visibleAtMs };
}

async function checkData(worker: Worker, { data }: JobRequest): Promise<void> {
  const parsed = await parseJobData(worker.schema, data);
  if ('data' in parsed) return;
  throw new InvalidRequest(`The data is not that of a ${worker.type}.`, parsed.findings);
}
