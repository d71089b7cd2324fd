import type { Deps } from '../deps.ts';
import { jobKey } from '../jobs/job-keys.ts';
import type { Page } from '../policies/list-policies.ts';
import { getRecords, queryRecords } from '../records.ts';
import { claimsPartition } from './claim-keys.ts';
import type { Claim, ClaimRecord } from './claim-record.ts';
import { claimAt } from './read-claim.ts';

/** The claims of a tenant, newest first, after `cursor` (the id of a job). At most 100 at a time. */
export async function listClaims(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<Claim>> {
  const found = await queryRecords<ClaimRecord>(deps, {
    partition: claimsPartition(tenant),
    after: cursor,
    order: 'desc',
    limit,
  });
  if (found.length === 0) return { items: [], next: null };
  const keys = found.map(({ value }) => jobKey({ tenant, id: value.job }, deps.jobJournals));
  const jobs = await getRecords(deps, keys);
  const items = found.map(({ value }, place) => claimAt(value, jobs[place]?.value));
  return { items, next: items.length < limit ? null : (items.at(-1)?.job ?? null) };
}
