import { isOpenJob, type JobRecord, progressOf } from '../core/jobs/job-record.ts';
import type { LeasedJob } from '../core/jobs/lease-jobs.ts';

/** A job as lists show it. Never with the token of its lease, which is its worker's alone. */
export function jobSummaryView(record: JobRecord) {
  const { status, attempts, lease, error, endedAt, visibleAtMs } = record;
  const waits = isOpenJob(record) && status !== 'processing';
  return {
    ...coreView(record),
    status,
    attempts,
    nextAttemptAt: waits ? new Date(visibleAtMs).toISOString() : null,
    worker: lease?.worker ?? null,
    leaseUntil: lease === null ? null : new Date(lease.untilMs).toISOString(),
    progress: progressOf(record),
    error,
    endedAt,
  };
}

/** The whole page of a job; `log` is the journal that tells of it, as the audit names it. */
export function jobView(record: JobRecord, log: string) {
  const { result, history } = record;
  return { ...jobSummaryView(record), ...dataView(record), log, result, history };
}

/** A job as its worker gets it, with the lease of this attempt. */
export function leasedJobView({ stored: { value: record }, lease }: LeasedJob) {
  const { traceparent } = record;
  return {
    ...coreView(record),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...dataView(record),
    attempt: record.attempts,
    lease: lease.token,
    leaseUntil: new Date(lease.untilMs).toISOString(),
  };
}

function coreView({
  id,
  number,
  type,
  priority,
  actor,
  subject,
  createdAt,
  maxAttempts,
}: JobRecord) {
  return { id, number, type, priority, actor, subject, createdAt, maxAttempts };
}

function dataView({ id, data, dataRef }: JobRecord) {
  return {
    data,
    dataSizeBytes: dataRef?.sizeBytes ?? null,
    dataPath: dataRef === null ? null : `/jobs/${id}/data`,
  };
}
