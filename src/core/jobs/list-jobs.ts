import type { Deps } from '../deps.ts';
import { headKey } from '../journal/journal-keys.ts';
import { getRecords, queryRecords } from '../records.ts';
import type { Page } from '../policies/list-policies.ts';
import {
  type DeadJob,
  deadJobsPartition,
  jobJournalsOf,
  jobKey,
  jobsPartition,
  type OpenJob,
  openJobsPartition,
  typeOfTally,
} from './job-keys.ts';
import { isOpenJob, type JobRecord, type JobStatus } from './job-record.ts';

type ListDeps = Pick<Deps, 'records' | 'jobJournals'>;

export interface JobFilter {
  readonly type?: string | undefined;
  readonly status?: JobStatus | undefined;
}

/** Records that one page looks at, at the most: a rare match makes short pages, not long waits. */
const maxScanned = 1000;
const scanPage = 100;

/**
 * Jobs that pass the filter, after `cursor` (`next` of the page before). Open ones of a status by
 * type, in the order in which they will be served; all others newest first. A page may be short,
 * or empty, and still have a `next`.
 */
export async function listJobs(
  deps: ListDeps,
  tenant: string,
  filter: JobFilter,
  cursor: string | undefined,
  limit: number,
): Promise<Page<JobRecord>> {
  const source = sourceOf(deps, tenant, filter);
  const items: JobRecord[] = [];
  let after = cursor;
  for (let scanned = 0; scanned < maxScanned;) {
    // Records may be large: no more than the page needs, unless the filter turns out to be rare.
    const size = scanned === 0 ? Math.min(scanPage, limit + 1) : scanPage;
    const found = await source(after, size);
    for (const { job, at } of found) {
      if (items.length === limit) return { items, next: after ?? null };
      after = at;
      if (job !== undefined && passes(job, filter)) items.push(job);
    }
    if (found.length < size) return { items, next: null };
    scanned += size;
  }
  return { items, next: after ?? null };
}

function sourceOf(deps: ListDeps, tenant: string, filter: JobFilter): Source {
  const { status } = filter;
  if (status === 'dead') return deadSource(deps, tenant);
  const isOpen = status !== undefined && isOpenJob({ status });
  return isOpen ? openSource(deps, tenant, filter) : newestSource(deps, tenant);
}

function passes(job: JobRecord, { type, status }: JobFilter): boolean {
  return (
    (type === undefined || job.type === type) && (status === undefined || job.status === status)
  );
}

interface Found {
  readonly job: JobRecord | undefined;
  /** The cursor behind it. */
  readonly at: string;
}

type Source = (after: string | undefined, limit: number) => Promise<Found[]>;

/** Ids sort by time: the same cursor serves every journal. */
function newestSource(deps: ListDeps, tenant: string): Source {
  return async (after, limit) => {
    const pages = await Promise.all(
      jobJournalsOf(tenant, deps.jobJournals).map((journal) =>
        queryRecords<JobRecord>(deps, {
          partition: jobsPartition(journal),
          after,
          order: 'desc',
          limit,
        }),
      ),
    );
    return pages
      .flat()
      .map(({ value }) => ({ job: value, at: value.id }))
      .sort((a, b) => (a.at < b.at ? 1 : -1))
      .slice(0, limit);
  };
}

function deadSource(deps: ListDeps, tenant: string): Source {
  return async (after, limit) => {
    const found = await queryRecords<DeadJob>(deps, {
      partition: deadJobsPartition(tenant),
      after,
      order: 'desc',
      limit,
    });
    return withJobs(
      deps,
      tenant,
      found.map(({ value, key }) => ({ id: value.id, at: key.sort })),
    );
  };
}

/** Type by type; a cursor is the type and the place in it. */
function openSource(deps: ListDeps, tenant: string, { type }: JobFilter): Source {
  return async (after, limit) => {
    const [fromType, place] = placeOf(after);
    const types = type === undefined ? await openTypes(deps, tenant) : [type];
    const places: { id: string; at: string }[] = [];
    for (const each of types.filter((one) => fromType === undefined || one >= fromType)) {
      const found = await queryRecords<OpenJob>(deps, {
        partition: openJobsPartition(tenant, each),
        after: each === fromType ? place : undefined,
        limit: limit - places.length,
      });
      places.push(...found.map(({ value, key }) => ({ id: value.id, at: `${each}/${key.sort}` })));
      if (places.length === limit) break;
    }
    return withJobs(deps, tenant, places);
  };
}

function placeOf(cursor: string | undefined): readonly [string?, string?] {
  if (cursor === undefined) return [];
  const end = cursor.indexOf('/');
  return [cursor.slice(0, end), cursor.slice(end + 1)];
}

/** The types of which a tenant has open jobs, sorted. */
export async function openTypes(deps: ListDeps, tenant: string): Promise<string[]> {
  const heads = await getRecords(deps, jobJournalsOf(tenant, deps.jobJournals).map(headKey));
  const names = heads.flatMap((head) => Object.keys(head?.value.tally ?? {}));
  return [...new Set(names.map(typeOfTally))].sort();
}

async function withJobs(
  deps: ListDeps,
  tenant: string,
  places: readonly { readonly id: string; readonly at: string }[],
): Promise<Found[]> {
  if (places.length === 0) return [];
  const keys = places.map(({ id }) => jobKey({ tenant, id }, deps.jobJournals));
  const found = await getRecords(deps, keys);
  return places.map(({ at }, place) => ({ job: found[place]?.value, at }));
}
