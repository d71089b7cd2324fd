import type { RecordWrite } from '../../ports/record-store.ts';
import { InvalidRequest, Unavailable } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { changeJob, type JobDeps, movesOf, requireJob } from './change-job.ts';
import { requireLease } from './finish-attempt.ts';
import { jobLimits } from './job-limits.ts';
import type { JobProgress, JobRecord, JobRef } from './job-record.ts';
import { plainMessage } from './plain-message.ts';

const maxTries = 5;

/**
 * Makes the lease of an attempt last for `leaseMs` from now on, unless it lasts longer already, and
 * answers until when. Not journaled: it changes nothing that anyone is told.
 * Errors: `NotFound`; `lease_lost`; `Unavailable`.
 */
export async function renewLease(
  deps: Pick<JobDeps, 'records' | 'clock' | 'ids' | 'jobJournals'>,
  ref: JobRef,
  token: string,
  leaseMs: number,
): Promise<number> {
  for (let tries = 0; tries < maxTries; tries++) {
    const { key, value: job, rev } = await requireJob(deps, ref);
    requireLease(job, token);
    const untilMs = deps.clock.nowMs() + leaseMs;
    const heldMs = job.lease?.untilMs ?? 0;
    if (heldMs >= untilMs) return heldMs;
    const renewed = withLeaseUntil(job, untilMs);
    const writes: RecordWrite[] = [
      { kind: 'put', key, value: renewed, expect: rev },
      ...movesOf(ref.tenant, job, renewed),
    ];
    if ((await deps.records.commit(writes, deps.ids.next())) === 'committed') return untilMs;
  }
  throw new Unavailable('The job keeps changing.');
}

/** Of a worker outside, its place among the open jobs moves with its lease. */
function withLeaseUntil(job: JobRecord, untilMs: number): JobRecord {
  const { lease, visibleAtMs } = job;
  if (lease === null) throw new Error('a job that is processing has a lease');
  const moves = visibleAtMs === lease.untilMs;
  return { ...job, lease: { ...lease, untilMs }, visibleAtMs: moves ? untilMs : visibleAtMs };
}

/**
 * Keeps how far an attempt has come, at most four times a second: what comes in between is dropped.
 * Errors: `InvalidRequest`; `lease_lost`; those of `commit`.
 */
export async function reportProgress(
  deps: JobDeps,
  origin: Origin,
  ref: JobRef,
  token: string,
  { percent, note }: Pick<JobProgress, 'percent' | 'note'>,
): Promise<void> {
  if (!(percent >= 0 && percent <= 100)) {
    throw new InvalidRequest('Progress is a percentage.', [
      { pointer: '/percent', detail: 'name a number from 0 to 100' },
    ]);
  }
  const said = note === null ? null : plainMessage(note, jobLimits.maxMessageChars);
  await changeJob(deps, origin, ref, async ({ value: job }) => {
    requireLease(job, token);
    const nowMs = deps.clock.nowMs();
    if (isTooSoon(job.progress, nowMs)) return { result: undefined };
    const at = new Date(nowMs).toISOString();
    return {
      action: 'job.progressed',
      job: { ...job, progress: { percent, note: said, at } },
      facts: { progress: { percent, note: said } },
      result: () => undefined,
    };
  });
}

/** A clock may step back. */
function isTooSoon(last: JobProgress | null, nowMs: number): boolean {
  return last !== null && Math.abs(nowMs - Date.parse(last.at)) < jobLimits.progressEveryMs;
}
