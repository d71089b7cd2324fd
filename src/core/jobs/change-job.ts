import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import type { Decision } from '../journal/commit.ts';
import type { JournalEntry, Origin } from '../journal/journal-entry.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import {
  deadJobKey,
  jobKey,
  jobSubject,
  journalOfJob,
  openJobKey,
  runningTally,
  waitingTally,
} from './job-keys.ts';
import { jobLimits } from './job-limits.ts';
import { isOpenJob, type JobRecord, type JobRef, type JobStep } from './job-record.ts';
import { plainMessage } from './plain-message.ts';

export type JobDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'lanes' | 'jobJournals'>;

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

/** What a step makes of its job. `history` and `endedAt` come of themselves. */
export interface JobChange<T> {
  readonly action: JobAction;
  readonly job: JobRecord;
  /** Gets the record as it is written. */
  readonly result: (stored: StoredJob) => T;
  readonly reason?: string | null;
  /** For the job's history. */
  readonly detail?: string | null;
  /** What else the journal, the stream and the events are to tell. */
  readonly facts?: Readonly<Record<string, Json>>;
  /** Of other records than the job's own. */
  readonly writes?: readonly RecordWrite[];
}

export type StoredJob = StoredRecord<JobRecord>;

export interface ChangeOptions {
  readonly known?: StoredJob | undefined;
  readonly isAgain?: boolean | undefined;
}

/** Errors: `NotFound`, also for another tenant's. */
export async function requireJob(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  ref: JobRef,
): Promise<StoredJob> {
  const found = await getRecord(deps, jobKey(ref, deps.jobJournals));
  if (found === undefined) throw new NotFound('There is no such job.');
  return found;
}

/**
 * Changes a job in one commit: its record, its place among the open or dead ones, the counts, and
 * its journal. `decide` gets what stands now, and answers a change, or only a result when there is
 * nothing to do. `known` saves the first read: a record that the caller has just written. `isAgain`:
 * see `CommitLanes`. Errors: those of `decide` and of `commit`; `NotFound`.
 */
export async function changeJob<T>(
  deps: JobDeps,
  origin: Origin,
  ref: JobRef,
  decide: (now: StoredJob) => Promise<JobChange<T> | { readonly result: T }>,
  { known, isAgain }: ChangeOptions = {},
): Promise<T> {
  let atHand = known;
  const journal = journalOfJob(ref, deps.jobJournals);
  const decideAnew = async (): Promise<Decision<T>> => {
    const now = atHand ?? (await requireJob(deps, ref));
    atHand = undefined;
    const change = await decide(now);
    if (!('job' in change)) return { kind: 'unchanged', result: change.result };
    const { action, job, reason = null } = change;
    let written = job;
    return {
      kind: 'change',
      entry: {
        action,
        subject: jobSubject(ref.id),
        before: { status: now.value.status },
        after: { ...toldOf(job), ...change.facts },
        reason,
      },
      tally: tallyOf(now.value, job),
      writes: (entry) => {
        written = withStep(change, entry);
        return [...jobWrites(deps, ref, now, written), ...(change.writes ?? [])];
      },
      result: () => change.result({ key: now.key, value: written, rev: now.rev + 1 }),
    };
  };
  return deps.lanes.commit(journal, origin, decideAnew, { isAgain });
}

/** What every entry of a job tells. */
export function toldOf({ number, type, status, attempts }: JobRecord): Record<string, Json> {
  return { number, type, status, attempt: attempts };
}

function withStep<T>({ action, job, detail = null }: JobChange<T>, entry: JournalEntry): JobRecord {
  const endedAt = isOpenJob(job) ? null : entry.at;
  // Progress has a place of its own.
  if (action === 'job.progressed') return { ...job, endedAt };
  const history = [...job.history, stepOf(job, entry, detail)].slice(-jobLimits.maxHistory);
  return { ...job, endedAt, history };
}

export function stepOf(
  { status, attempts }: Pick<JobRecord, 'status' | 'attempts'>,
  { at, actor }: Pick<JournalEntry, 'at' | 'actor'>,
  detail: string | null,
): JobStep {
  const said = detail === null ? null : plainMessage(detail, jobLimits.maxDetailChars);
  return { at, status, attempt: attempts, by: actor, detail: said };
}

function jobWrites(
  deps: Pick<Deps, 'jobJournals'>,
  ref: JobRef,
  { value: before, rev }: StoredJob,
  job: JobRecord,
): RecordWrite[] {
  const { tenant } = ref;
  const expiry =
    job.endedAt === null || job.isKept === true
      ? {}
      : { expiresAtMs: Date.parse(job.endedAt) + jobLimits.retentionMs };
  const key = jobKey(ref, deps.jobJournals);
  const writes: RecordWrite[] = [
    { kind: 'put', key, value: job, expect: rev, ...expiry },
    ...movesOf(tenant, before, job),
  ];
  const [wasDead, isDead] = [before.status === 'dead', job.status === 'dead'];
  if (wasDead && !isDead) writes.push({ kind: 'delete', key: deadJobKey(ref), expect: 1 });
  if (isDead && !wasDead) {
    const value = { id: job.id, type: job.type };
    writes.push({ kind: 'put', key: deadJobKey(ref), value, expect: 'absent', ...expiry });
  }
  return writes;
}

/** From one place among the open jobs to another, if it has them. */
export function movesOf(tenant: string, before: JobRecord, after: JobRecord): RecordWrite[] {
  const from = isOpenJob(before) ? openJobKey(tenant, before) : null;
  const to = isOpenJob(after) ? openJobKey(tenant, after) : null;
  if (from?.sort === to?.sort) return [];
  const writes: RecordWrite[] = [];
  if (from !== null) writes.push({ kind: 'delete', key: from, expect: 1 });
  if (to !== null) writes.push({ kind: 'put', key: to, value: { id: after.id }, expect: 'absent' });
  return writes;
}

/** What a step adds to the counts of waiting and running jobs. */
export function tallyOf(
  before: Pick<JobRecord, 'status' | 'type'> | null,
  after: Pick<JobRecord, 'status' | 'type'>,
): Record<string, number> {
  const from = before === null ? null : countedAs(before);
  const to = countedAs(after);
  if (from === to) return {};
  return { ...(from === null ? {} : { [from]: -1 }), ...(to === null ? {} : { [to]: 1 }) };
}

function countedAs(job: Pick<JobRecord, 'status' | 'type'>): string | null {
  if (job.status === 'processing') return runningTally(job.type);
  return isOpenJob(job) ? waitingTally(job.type) : null;
}
