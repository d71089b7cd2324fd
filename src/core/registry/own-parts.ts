import type { Deps } from '../deps.ts';
import {
  jobJournalsOf,
  jobKey,
  type OpenJob,
  openJobsPartition,
  waitingTally,
} from '../jobs/job-keys.ts';
import { entryKey, headKey, relayCursorKey } from '../journal/journal-keys.ts';
import { getRecord, getRecords, queryRecords } from '../records.ts';
import type { PartCheck, PartHealth } from './check-parts.ts';
import type { HealthColour } from './service-health.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
/** Of the jobs that would be served next, so many are looked at. */
const jobsLookedAt = 20;

interface Limits {
  readonly yellowMs: number;
  readonly redMs: number;
}

const relayLimits: Limits = { yellowMs: 30 * secondMs, redMs: 5 * minuteMs };
const jobLimits: Limits = { yellowMs: minuteMs, redMs: 10 * minuteMs };

/** Whether the store of records answers. One read. */
export function recordsPart(deps: Pick<Deps, 'records'>): PartCheck {
  return async (tenant) => {
    await getRecord(deps, headKey(tenant));
    return { status: 'green', reason: 'answers' };
  };
}

/** Whether the store of blobs answers: it is asked for one that nobody has. */
export function blobsPart({ blobs }: Pick<Deps, 'blobs'>): PartCheck {
  return async (tenant) => {
    await blobs.head({ tenant, digest: '0'.repeat(64) });
    return { status: 'green', reason: 'answers' };
  };
}

/** How far events lag behind the tenant's journals. One round trip; one more while some wait. */
export function relayPart(deps: Pick<Deps, 'records' | 'clock' | 'jobJournals'>): PartCheck {
  return async (tenant) => {
    const journals = [tenant, ...jobJournalsOf(tenant, deps.jobJournals)];
    const [heads, cursors] = await Promise.all([
      getRecords(deps, journals.map(headKey)),
      getRecords(deps, journals.map(relayCursorKey)),
    ]);
    const lags = journals.map((journal, place) => {
      const from = cursors[place]?.value.nextIndex ?? 0;
      return { journal, from, count: (heads[place]?.value.nextIndex ?? 0) - from };
    });
    const behind = lags.filter(({ count }) => count > 0);
    if (behind.length === 0) return { status: 'green', reason: 'no event waits' };
    const oldest = await getRecords(
      deps,
      behind.map(({ journal, from }) => entryKey(journal, from)),
    );
    const timesMs = oldest.flatMap((entry) => Date.parse(entry?.value.at ?? '') || []);
    const count = behind.reduce((sum, each) => sum + each.count, 0);
    const lateMs = deps.clock.nowMs() - Math.min(deps.clock.nowMs(), ...timesMs);
    return lateness(`${count} of the journal wait to be told`, lateMs, relayLimits);
  };
}

/**
 * Whether jobs of these types, which our own workers do, are begun in time: so both the queue and
 * the workers do their part. One round trip; two more for each type of which jobs wait.
 */
export function jobsPart(
  deps: Pick<Deps, 'records' | 'clock' | 'jobJournals'>,
  types: readonly string[],
): PartCheck {
  return async (tenant) => {
    const heads = await getRecords(deps, jobJournalsOf(tenant, deps.jobJournals).map(headKey));
    const waiting = types.filter((type) =>
      heads.some((head) => (head?.value.tally?.[waitingTally(type)] ?? 0) > 0),
    );
    const found = await Promise.all(waiting.map((type) => oldestWaiting(deps, tenant, type)));
    const nowMs = deps.clock.nowMs();
    const lateMs = nowMs - Math.min(nowMs, ...found);
    if (lateMs === 0) return { status: 'green', reason: 'no job waits' };
    return lateness('jobs wait for a worker', lateMs, jobLimits);
  };
}

/** Unix ms from which on the oldest of those that are next could have been begun. */
async function oldestWaiting(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  tenant: string,
  type: string,
): Promise<number> {
  const open = await queryRecords<OpenJob>(deps, {
    partition: openJobsPartition(tenant, type),
    limit: jobsLookedAt,
  });
  if (open.length === 0) return Infinity;
  const keys = open.map(({ value }) => jobKey({ tenant, id: value.id }, deps.jobJournals));
  const jobs = await getRecords(deps, keys);
  const timesMs = jobs.flatMap((job) =>
    job === undefined || job.value.status === 'processing' ? [] : [job.value.visibleAtMs],
  );
  return Math.min(Infinity, ...timesMs);
}

function lateness(what: string, lateMs: number, { yellowMs, redMs }: Limits): PartHealth {
  const status: HealthColour = lateMs >= redMs ? 'red' : lateMs >= yellowMs ? 'yellow' : 'green';
  return { status, reason: `${what}, the oldest for ${Math.round(lateMs / secondMs)} s` };
}
