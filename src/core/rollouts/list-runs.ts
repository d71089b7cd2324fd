import type { Deps } from '../deps.ts';
import { sortableIndex } from '../journal/journal-keys.ts';
import { queryRecords } from '../records.ts';
import { runsPartition } from './run-keys.ts';
import type { RunRecord } from './run-record.ts';

/** Newest first, before `cursor` (a run number). */
export async function listRuns(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  cursor: number | undefined,
  limit: number,
): Promise<{ readonly items: readonly RunRecord[]; readonly next: number | null }> {
  const found = await queryRecords<RunRecord>(deps, {
    partition: runsPartition(tenant),
    after: cursor === undefined ? undefined : sortableIndex(cursor),
    order: 'desc',
    limit,
  });
  const items = found.map(({ value }) => value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.run ?? null) };
}
