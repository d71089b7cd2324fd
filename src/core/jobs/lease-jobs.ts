import type { Deps } from '../deps.ts';
import { InvalidRequest } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { headKey } from '../journal/journal-keys.ts';
import { getRecords, queryRecords } from '../records.ts';
import type { JobDeps, StoredJob } from './change-job.ts';
import { finishAttempt } from './finish-attempt.ts';
import {
  jobJournalsOf,
  jobKey,
  type OpenJob,
  openJobPrefix,
  openJobSort,
  openJobsPartition,
  runningTally,
  waitingTally,
} from './job-keys.ts';
import { jobPriorities, type JobPriority } from './job-record.ts';
import { readJobData } from './read-job.ts';
import { defaultRetry } from './retry-schedule.ts';
import type { Vet } from './run-attempt.ts';
import { startAttempt, type StartedAttempt } from './start-attempt.ts';
import type { WorkerTable } from './submit-job.ts';

export interface LeaseWish {
  /** 1 to 20 types. */
  readonly types: readonly string[];
  /** 1 to 20 jobs. */
  readonly limit: number;
  readonly leaseMs: number;
  /** How long to wait for a job, when there is none. */
  readonly waitMs: number;
  readonly stop?: AbortSignal;
}

export interface LeaseDeps extends JobDeps, Pick<Deps, 'blobs' | 'signal' | 'metrics'> {
  readonly workers: WorkerTable;
  readonly vet: Vet;
}

export type LeasedJob = Extract<StartedAttempt, { status: 'started' }>;

/** How soon a job is found whose time has come, of which nobody tells. */
const lookAgainMs = 1000;
/** Between looks, at the least: journals may grow all the time, by what is nothing for this one. */
const pauseMs = 50;
/** Candidates for each job wanted: others may be after the same. */
const candidates = 3;
/** How metrics call types that the service itself has no worker for. */
const metricType = 'other';

/**
 * Begins attempts of up to `limit` jobs for a worker outside: each is that worker's alone until its
 * lease ends. One that the governance rules in force do not let be done is rejected, and nobody
 * gets it. Answers as soon as there is one, or none when the time is up.
 * Errors: `InvalidRequest` for a type that the service works on by itself; those of `commit`.
 */
export async function leaseJobs(
  deps: LeaseDeps,
  origin: Origin,
  wish: LeaseWish,
): Promise<LeasedJob[]> {
  const ours = wish.types.find((type) => deps.workers.has(type));
  if (ours !== undefined) {
    throw new InvalidRequest(`${ours} is done by the service itself.`, [
      { pointer: '/types', detail: 'name types of your own workers' },
    ]);
  }
  const endsAtMs = deps.clock.nowMs() + wish.waitMs;
  const journals = jobJournalsOf(origin.tenant, deps.jobJournals);
  while (wish.stop?.aborted !== true) {
    const lookedMs = deps.clock.nowMs();
    const heads = await getRecords(deps, journals.map(headKey));
    const open = new Set(heads.flatMap((head) => Object.keys(head?.value.tally ?? {})));
    const types = wish.types.filter(
      (type) => open.has(waitingTally(type)) || open.has(runningTally(type)),
    );
    const leased = await leaseOf(deps, origin, { ...wish, types });
    const leftMs = endsAtMs - deps.clock.nowMs();
    if (leased.length > 0 || leftMs <= 0) return leased;
    const places = heads.map((head) => head?.value.nextIndex ?? 0);
    await somethingNew(deps, journals, places, Math.min(leftMs, lookAgainMs), wish.stop);
    const restMs = lookedMs + pauseMs - deps.clock.nowMs();
    await deps.clock.sleep(Math.min(restMs, pauseMs), wish.stop);
  }
  // Nobody waits for an answer any more.
  return [];
}

/**
 * Of the highest priority first, whatever the type. What fails is thrown only when nothing was
 * started: the caller must hear of what it has.
 */
async function leaseOf(deps: LeaseDeps, origin: Origin, wish: LeaseWish): Promise<LeasedJob[]> {
  const leased: LeasedJob[] = [];
  try {
    for (const priority of jobPriorities) {
      for (const type of wish.types) {
        const wanted = wish.limit - leased.length;
        if (wanted === 0) return leased;
        const ids = await readyJobs(deps, origin.tenant, type, priority, wanted * candidates);
        await startSome(deps, origin, ids, wish, leased);
      }
    }
  } catch (error) {
    if (leased.length === 0) throw error;
  }
  return leased;
}

async function readyJobs(
  deps: LeaseDeps,
  tenant: string,
  type: string,
  priority: JobPriority,
  limit: number,
): Promise<string[]> {
  const found = await queryRecords<OpenJob>(deps, {
    partition: openJobsPartition(tenant, type),
    prefix: openJobPrefix(priority),
    // `~` sorts after every id: the very millisecond counts.
    until: `${openJobSort(priority, deps.clock.nowMs())}~`,
    limit,
  });
  return found.map(({ value }) => value.id);
}

/** Starts as many of these as are wanted, all at once as long as some are left: most succeed. */
async function startSome(
  deps: LeaseDeps,
  origin: Origin,
  ids: readonly string[],
  { limit, leaseMs }: LeaseWish,
  leased: LeasedJob[],
): Promise<void> {
  const { tenant } = origin;
  const left = shuffled(ids);
  while (left.length > 0 && leased.length < limit) {
    const tried = left.splice(0, limit - leased.length);
    const keys = tried.map((id) => jobKey({ tenant, id }, deps.jobJournals));
    const found = (await getRecords(deps, keys)).filter((stored) => stored !== undefined);
    const answers = await Promise.allSettled(
      found.map((stored) => startVetted(deps, origin, stored, leaseMs)),
    );
    for (const answer of answers) {
      if (answer.status === 'fulfilled' && answer.value !== null) leased.push(answer.value);
    }
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }
}

/** Null: somebody else was faster, or the job may not be done. Asked before anything is begun. */
async function startVetted(
  deps: LeaseDeps,
  origin: Origin,
  known: StoredJob,
  leaseMs: number,
): Promise<LeasedJob | null> {
  const { tenant, actor } = origin;
  const { id, type: action, actor: asker, subject, region } = known.value;
  const payload = await readJobData(deps, tenant, known.value);
  const by = { id: asker, subject, region };
  const vetted = await deps.vet({ tenant, actor: by, action, payload });
  const ref = { tenant, id };
  const terms = { worker: actor, leaseMs, movesPlace: true, metricType, known };
  const started = await startAttempt(deps, origin, ref, terms);
  if (started.status !== 'started') return null;
  if (vetted.verdict === 'allowed') return started;
  const { stored, lease } = started;
  const outcome = { kind: 'rejected', validator: 'governance', reason: vetted.reason } as const;
  const report = { token: lease.token, retry: defaultRetry, metricType, known: stored };
  await finishAttempt(deps, origin, ref, outcome, report);
  return null;
}

/** Workers that ask at the same moment must not all be after the same job. */
function shuffled(ids: readonly string[]): string[] {
  const keyed = ids.map((id) => ({ id, at: Math.random() }));
  return keyed.sort((a, b) => a.at - b.at).map(({ id }) => id);
}

async function somethingNew(
  { signal }: Pick<Deps, 'signal'>,
  journals: readonly string[],
  places: readonly number[],
  waitMs: number,
  stop: AbortSignal | undefined,
): Promise<void> {
  const found = new AbortController();
  const either = stop === undefined ? found.signal : AbortSignal.any([found.signal, stop]);
  const waits = journals.map((journal, at) =>
    signal.wait(journal, places[at] ?? 0, waitMs, either),
  );
  await Promise.race(waits);
  found.abort();
}
