import type { Deps } from '../deps.ts';
import type { JournalHead } from '../journal/journal-entry.ts';
import { headKey, journalsPartition, tenantOfJournal } from '../journal/journal-keys.ts';
import { getRecords, queryRecords } from '../records.ts';
import {
  isJobJournal,
  jobKey,
  type OpenJob,
  openJobPrefix,
  openJobSort,
  openJobsPartition,
  runningTally,
  waitingTally,
} from './job-keys.ts';
import { isOpenJob, jobPriorities, type JobRecord } from './job-record.ts';
import { SentAgain } from './sent-again.ts';
import { queuedJob } from './submit-job.ts';

export interface ReconcileDeps extends Pick<
  Deps,
  'records' | 'queue' | 'clock' | 'log' | 'metrics' | 'jobJournals'
> {
  /** Those that our own workers do. */
  readonly workerTypes: readonly string[];
}

export interface ReconcileTerms {
  /** A job that could have been started for so long, and was not, may have fallen out of the queue. */
  readonly staleMs: number;
  /** One that was sent again is left alone for so long, whoever else looks at it. */
  readonly againMs: number;
  /** Jobs of a tenant, type and priority that are looked at. */
  readonly maxJobs: number;
}

const page = 100;

/**
 * Sends again what waits for one of our workers and seems to have fallen out of the queue: stored,
 * and its sender died before it was sent; or lost by the queue. What is in the queue after all is
 * handed out twice, and started once. Measures, too, how many jobs wait and run, and for how long.
 * `sentAgain` is what this process remembers of the rounds before.
 * One tenant that fails does not keep the others; its error is thrown when all are done.
 */
export async function reconcileJobs(
  deps: ReconcileDeps,
  terms: ReconcileTerms,
  sentAgain = new SentAgain(),
): Promise<void> {
  const failures: unknown[] = [];
  const counts = new Map(deps.workerTypes.map((type) => [type, newCount()]));
  for (const [tenant, types] of await openWork(deps, counts)) {
    for (const type of types) {
      const about = { tenant, type, count: counts.get(type), sentAgain };
      await reconcileType(deps, about, terms).catch((error: unknown) => failures.push(error));
    }
  }
  for (const [type, { waiting, running, oldestMs }] of counts) {
    const ageMs = oldestMs === null ? 0 : Math.max(0, deps.clock.nowMs() - oldestMs);
    deps.metrics.jobsOpen(type, waiting, running, ageMs);
  }
  if (failures.length > 0) throw failures[0];
}

/** At once, and then every `everyMs`, until `stop`. */
export async function keepReconcilingJobs(
  deps: ReconcileDeps,
  terms: ReconcileTerms & { readonly everyMs: number },
  stop: AbortSignal,
): Promise<void> {
  // What an earlier process left behind is in nobody's hands.
  let staleMs = 0;
  const sentAgain = new SentAgain();
  while (!stop.aborted) {
    try {
      await reconcileJobs(deps, { ...terms, staleMs }, sentAgain);
      staleMs = terms.staleMs;
    } catch (error) {
      deps.log.error('reconciling jobs failed', { error });
    }
    await deps.clock.sleep(terms.everyMs, stop);
  }
}

interface Count {
  waiting: number;
  running: number;
  oldestMs: number | null;
}

function newCount(): Count {
  return { waiting: 0, running: 0, oldestMs: null };
}

/** The types of ours of which each tenant has open jobs; counts them, too. */
async function openWork(
  deps: ReconcileDeps,
  counts: ReadonlyMap<string, Count>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const open = new Map<string, Set<string>>();
  let after: string | undefined;
  for (;;) {
    const listed = await deps.records.query({ partition: journalsPartition, after, limit: page });
    const journals = listed.map(({ key }) => key.sort).filter(isJobJournal);
    const heads = journals.length === 0 ? [] : await getRecords(deps, journals.map(headKey));
    journals.forEach((journal, place) => {
      const types = countOpen(heads[place]?.value, counts);
      if (types.length === 0) return;
      const tenant = tenantOfJournal(journal);
      open.set(tenant, new Set([...(open.get(tenant) ?? []), ...types]));
    });
    after = listed.at(-1)?.key.sort;
    if (listed.length < page) return open;
  }
}

/** The types of ours of which the journal has open jobs. */
function countOpen(head: JournalHead | undefined, counts: ReadonlyMap<string, Count>): string[] {
  const tally = head?.tally ?? {};
  return [...counts].flatMap(([type, count]) => {
    const waiting = tally[waitingTally(type)] ?? 0;
    const running = tally[runningTally(type)] ?? 0;
    count.waiting += waiting;
    count.running += running;
    return waiting + running === 0 ? [] : [type];
  });
}

interface TypeOfTenant {
  readonly tenant: string;
  readonly type: string;
  readonly count: Count | undefined;
  readonly sentAgain: SentAgain;
}

async function reconcileType(
  deps: ReconcileDeps,
  { tenant, type, count, sentAgain }: TypeOfTenant,
  { staleMs, againMs, maxJobs }: ReconcileTerms,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  for (const priority of jobPriorities) {
    let after: string | undefined;
    for (let looked = 0; looked < maxJobs; looked += page) {
      const found = await queryRecords<OpenJob>(deps, {
        partition: openJobsPartition(tenant, type),
        prefix: openJobPrefix(priority),
        after,
        until: `${openJobSort(priority, nowMs)}~`,
        limit: page,
      });
      if (found.length === 0) break;
      const keys = found.map(({ value }) => jobKey({ tenant, id: value.id }, deps.jobJournals));
      const records = await getRecords(deps, keys);
      const jobs = records.flatMap((record) => record?.value ?? []);
      if (count !== undefined) noteOldest(count, jobs);
      const lost = jobs.filter(
        (job) => isLost(job, nowMs - staleMs) && !sentAgain.isRecent(tenant, job, nowMs, againMs),
      );
      await sendAgain(deps, tenant, lost);
      sentAgain.note(tenant, lost, nowMs);
      after = found.at(-1)?.key.sort;
      if (found.length < page) break;
    }
  }
}

async function sendAgain(
  { queue, log }: ReconcileDeps,
  tenant: string,
  jobs: readonly JobRecord[],
): Promise<void> {
  const [first] = jobs;
  if (first === undefined) return;
  await queue.send(jobs.map((job) => queuedJob(tenant, job)));
  log.info('jobs sent again', { tenant, type: first.type, count: jobs.length });
}

function noteOldest(count: Count, jobs: readonly JobRecord[]): void {
  for (const { status, visibleAtMs } of jobs) {
    if (status !== 'queued' && status !== 'failed') continue;
    count.oldestMs = Math.min(count.oldestMs ?? visibleAtMs, visibleAtMs);
  }
}

function isLost({ status, visibleAtMs, lease }: JobRecord, beforeMs: number): boolean {
  if (status === 'processing' && lease !== null) return lease.untilMs <= beforeMs;
  return isOpenJob({ status }) && visibleAtMs <= beforeMs;
}
