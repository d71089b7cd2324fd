import assert from 'node:assert/strict';
import {
  deadJobsPartition,
  jobJournal,
  jobNumber,
  jobOfSubject,
  jobsPartition,
  openJobKey,
  openJobsPartition,
  runningTally,
  waitingTally,
} from '../../src/core/jobs/job-keys.ts';
import { jobLimits } from '../../src/core/jobs/job-limits.ts';
import { isOpenJob, type JobRecord, type JobStatus } from '../../src/core/jobs/job-record.ts';
import type { JournalEntry, JournalHead } from '../../src/core/journal/journal-entry.ts';
import {
  entryKey,
  headKey,
  journalPartition,
  journalsPartition,
} from '../../src/core/journal/journal-keys.ts';
import type { Json } from '../../src/core/values/json.ts';
import type { RecordStore, StoredRecord } from '../../src/ports/record-store.ts';

/** What the entries of a job tell of it. */
type DerivedJob = Pick<
  JobRecord,
  | 'id'
  | 'number'
  | 'type'
  | 'status'
  | 'priority'
  | 'actor'
  | 'subject'
  | 'requestId'
  | 'createdAt'
  | 'attempts'
  | 'result'
  | 'endedAt'
  | 'firstIndex'
> & {
  /** Who has it. */
  readonly worker: string | null;
  readonly percent: number | null;
  readonly history: readonly { readonly at: string; readonly status: JobStatus }[];
  /** The code and message of the last failure that was reported. */
  readonly failure: Json;
  /** Its place among the open jobs, where an entry tells it exactly. */
  readonly visibleAtMs: number | null;
};

interface After {
  readonly [key: string]: Json;
  readonly number: number;
  readonly type: string;
  readonly status: JobStatus;
  readonly attempt: number;
}

/**
 * Throws unless the jobs of a tenant are exactly what their journals tell: each journal without a
 * gap, its head and its counts; each job's record, and its place among the open or dead ones. For
 * any RecordStore, while nobody writes, and before records expire. Answers the jobs.
 */
export async function assertJobsConsistent(
  records: RecordStore,
  tenant: string,
  jobJournals: number,
): Promise<readonly JobRecord[]> {
  const jobs: JobRecord[] = [];
  const commitIds = new Set<string>();
  for (let number = 0; number < jobJournals; number++) {
    const journal = jobJournal(tenant, number);
    const entries = await checkedEntries(records, journal, commitIds);
    const derived = deriveJobs(entries, jobJournals);
    const found = await queryAll(records, jobsPartition(journal));
    const held = found.map(({ value }) => value as unknown as JobRecord);
    assert.deepEqual(
      held.map(({ id }) => id),
      [...derived.keys()].sort(),
      `${journal}: the jobs that there are`,
    );
    for (const job of held) checkJob(job, derived.get(job.id) as DerivedJob);
    await checkHead(records, journal, entries, held);
    jobs.push(...held);
  }
  const numbers = new Set(jobs.map((job) => job.number));
  assert.equal(numbers.size, jobs.length, 'two jobs of one number');
  await checkOpenIndex(records, tenant, jobs);
  await checkDeadIndex(records, tenant, jobs);
  return jobs;
}

async function checkedEntries(
  records: RecordStore,
  journal: string,
  commitIds: Set<string>,
): Promise<JournalEntry[]> {
  const found = await queryAll(records, journalPartition(journal));
  const entries = found.map(({ value }) => value as unknown as JournalEntry);
  found.forEach(({ key, rev }, index) => {
    const entry = entries[index] as JournalEntry;
    assert.deepEqual(key, { ...entryKey(journal, index) }, `${journal}: a gap before ${index}`);
    assert.equal(rev, 1, `${journal}: entry ${index} was written twice`);
    assert.equal(entry.index, index, `${journal}: entry ${index} has another index`);
    assert.ok(entry.at >= (entries[index - 1]?.at ?? ''), `${journal}: ${index} is out of order`);
    assert.ok(
      !commitIds.has(entry.commitId),
      `${journal}: the id of entry ${index} is not its own`,
    );
    commitIds.add(entry.commitId);
  });
  return entries;
}

async function checkHead(
  records: RecordStore,
  journal: string,
  entries: readonly JournalEntry[],
  jobs: readonly JobRecord[],
): Promise<void> {
  const [head, listed] = await records.getMany([
    headKey(journal),
    { partition: journalsPartition, sort: journal },
  ]);
  const last = entries.at(-1);
  assert.equal(listed !== undefined, last !== undefined, `${journal}: the list of journals`);
  const tally = countsOf(jobs);
  const counts = Object.keys(tally).length === 0 ? {} : { tally };
  const wanted: JournalHead | undefined =
    last === undefined ? undefined : { nextIndex: entries.length, at: last.at, ...counts };
  assert.deepEqual(head?.value, wanted, `${journal}: its head`);
  assert.ok((head?.rev ?? 0) <= entries.length, `${journal}: its head moved without an entry`);
}

function countsOf(jobs: readonly JobRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type, status } of jobs.filter(isOpenJob)) {
    const name = status === 'processing' ? runningTally(type) : waitingTally(type);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The jobs that entries tell of, by id. */
export function deriveJobs(
  entries: readonly JournalEntry[],
  jobJournals: number,
): ReadonlyMap<string, DerivedJob> {
  const jobs = new Map<string, DerivedJob>();
  for (const entry of entries) {
    const id = jobOfSubject(entry.subject);
    if (id === null) continue;
    const before = jobs.get(id);
    const was = (entry.before as { readonly status: JobStatus } | null)?.status;
    assert.equal(was, before?.status, `entry ${entry.index} follows upon another state`);
    jobs.set(id, before === undefined ? first(id, entry, jobJournals) : next(before, entry));
  }
  return jobs;
}

function first(id: string, entry: JournalEntry, jobJournals: number): DerivedJob {
  assert.equal(entry.action, 'job.queued', `entry ${entry.index} is of a job that was not queued`);
  const { type, status, attempt, priority, subject, notBefore } = entry.after as After &
    Pick<JobRecord, 'priority' | 'subject'>;
  const { index, at, actor, requestId } = entry;
  return {
    id,
    number: jobNumber(id, index, jobJournals),
    type,
    status,
    priority,
    actor,
    subject,
    requestId,
    createdAt: at,
    attempts: attempt,
    result: null,
    endedAt: null,
    firstIndex: index,
    worker: null,
    percent: null,
    history: [{ at, status }],
    failure: null,
    visibleAtMs: typeof notBefore === 'string' ? Date.parse(notBefore > at ? notBefore : at) : null,
  };
}

/** From which state each step leads to which, and what becomes of the count of attempts. */
const transitions: Readonly<
  Record<string, { readonly from: readonly JobStatus[]; readonly to: JobStatus }>
> = {
  'job.started': { from: ['queued', 'failed', 'processing'], to: 'processing' },
  'job.progressed': { from: ['processing'], to: 'processing' },
  'job.completed': { from: ['processing'], to: 'completed' },
  'job.rejected': { from: ['processing'], to: 'rejected' },
  'job.failed': { from: ['processing'], to: 'failed' },
  'job.dead': { from: ['processing'], to: 'dead' },
  'job.cancelled': { from: ['queued', 'failed', 'processing', 'dead'], to: 'cancelled' },
  'job.retried': { from: ['failed', 'dead'], to: 'queued' },
};

function next(job: DerivedJob, entry: JournalEntry): DerivedJob {
  const { action, index, at } = entry;
  const after = entry.after as After;
  const step = transitions[action];
  assert.ok(step, `entry ${index}: no job takes a step ${action}`);
  assert.ok(step.from.includes(job.status), `entry ${index}: ${job.status}, then ${action}`);
  assert.equal(after.status, step.to, `entry ${index}: ${action} leads to ${after.status}`);
  const begun = action === 'job.started' ? job.attempts + 1 : job.attempts;
  const attempts = action === 'job.retried' ? 0 : begun;
  const { number, type, attempt } = after;
  assert.deepEqual(
    { number, type, attempt },
    { number: job.number, type: job.type, attempt: attempts },
  );
  const { status } = after;
  const isOpen = isOpenJob({ status });
  return {
    ...job,
    status,
    attempts,
    endedAt: isOpen ? null : at,
    history: action === 'job.progressed' ? job.history : [...job.history, { at, status }],
    ...factsOf(job, entry),
  };
}

function factsOf(job: DerivedJob, { action, at, after }: JournalEntry): Partial<DerivedJob> {
  const { worker, progress, result, error, nextAttemptAt } = after as After;
  const none = { worker: null };
  switch (action) {
    case 'job.started':
      return { worker: worker as string, percent: null, visibleAtMs: null };
    case 'job.progressed':
      return { percent: (progress as unknown as { percent: number }).percent };
    case 'job.completed':
      return { ...none, result: result ?? null, failure: null };
    case 'job.failed':
      return { ...none, failure: error ?? null, visibleAtMs: Date.parse(nextAttemptAt as string) };
    case 'job.retried':
      return { ...none, visibleAtMs: null, endedAt: null };
    case 'job.cancelled':
      return { ...none, endedAt: at };
    default:
      return { ...none, failure: error ?? job.failure };
  }
}

function checkJob(job: JobRecord, derived: DerivedJob): void {
  const { worker, percent, history, failure, visibleAtMs, ...told } = derived;
  const held = Object.fromEntries(
    Object.keys(told).map((name) => [name, job[name as keyof JobRecord]]),
  );
  assert.deepEqual(held, told, `job ${job.id}`);
  assert.equal(job.lease?.worker ?? null, worker, `job ${job.id}: who has it`);
  assert.equal(job.lease !== null, job.status === 'processing', `job ${job.id}: its lease`);
  assert.equal(job.progress?.percent ?? null, percent, `job ${job.id}: its progress`);
  const steps = job.history.map(({ at, status }) => ({ at, status }));
  assert.deepEqual(steps, history.slice(-jobLimits.maxHistory), `job ${job.id}: its history`);
  // That a worker was lost is told by the start of the next attempt.
  if (job.error?.code !== 'lease_lost') assert.deepEqual(job.error, failure, `job ${job.id}`);
  if (visibleAtMs !== null && job.status !== 'processing') {
    assert.equal(job.visibleAtMs, visibleAtMs, `job ${job.id}: its next attempt`);
  }
}

async function checkOpenIndex(
  records: RecordStore,
  tenant: string,
  jobs: readonly JobRecord[],
): Promise<void> {
  for (const type of new Set(jobs.map((job) => job.type))) {
    const found = await queryAll(records, openJobsPartition(tenant, type));
    const places = jobs.filter((job) => job.type === type && isOpenJob(job));
    assert.deepEqual(
      found.map(({ key, value }) => [key.sort, value]),
      places.map((job) => [openJobKey(tenant, job).sort, { id: job.id }]).sort(bySort),
      `${tenant}: the open jobs of ${type}`,
    );
  }
}

async function checkDeadIndex(
  records: RecordStore,
  tenant: string,
  jobs: readonly JobRecord[],
): Promise<void> {
  const found = await queryAll(records, deadJobsPartition(tenant));
  const dead = jobs.filter(({ status }) => status === 'dead');
  assert.deepEqual(
    found.map(({ key, value }) => [key.sort, value]),
    dead.map(({ id, type }) => [id, { id, type }]).sort(bySort),
    `${tenant}: the dead jobs`,
  );
}

function bySort([a = '']: readonly unknown[], [b = '']: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

async function queryAll(records: RecordStore, partition: string): Promise<StoredRecord[]> {
  const all: StoredRecord[] = [];
  for (;;) {
    const limit = 1000;
    const found = await records.query({ partition, after: all.at(-1)?.key.sort, limit });
    all.push(...found);
    if (found.length < limit) return all;
  }
}
