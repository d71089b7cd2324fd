import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { type Channel, channels } from './channel.ts';
import type { Page } from './list-policies.ts';
import { policyPartition, summaryKey, timelinePrefix } from './policy-keys.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { TimelineEntry } from './timeline-entry.ts';

/** Refuses to speak of a policy that the tenant does not have. */
export async function requirePolicy(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
): Promise<void> {
  if ((await getRecord(deps, summaryKey(tenant, id))) !== undefined) return;
  throw new NotFound(`There is no policy "${id}".`);
}

/**
 * What was put in force, newest first, in one channel or in all of them, before `cursor` (the
 * end of a timeline key). Each channel has its own timeline; all share the journal's order.
 */
export async function readHistory(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  channel: Channel | undefined,
  cursor: string | undefined,
  limit: number,
): Promise<Page<TimelineEntry>> {
  await requirePolicy(deps, tenant, id);
  const wanted = channel === undefined ? channels : [channel];
  const found = await Promise.all(
    wanted.map((each) => {
      const prefix = timelinePrefix(each);
      return queryRecords<TimelineEntry>(deps, {
        partition: policyPartition(tenant, id),
        prefix,
        after: cursor === undefined ? undefined : `${prefix}${cursor}`,
        order: 'desc',
        limit: limit + 1,
      });
    }),
  );
  const merged = found
    .flat()
    .map((record) => ({
      entry: record.value,
      position: record.key.sort.slice(record.key.sort.indexOf('#', 'timeline#'.length) + 1),
    }))
    .sort((a, b) => b.entry.index - a.entry.index);
  const items = merged.slice(0, limit);
  return {
    items: items.map(({ entry }) => entry),
    next: merged.length > limit ? (items.at(-1)?.position ?? null) : null,
  };
}
