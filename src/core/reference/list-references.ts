import type { Deps } from '../deps.ts';
import type { Page } from '../policies/list-policies.ts';
import { queryRecords } from '../records.ts';
import { referencesPartition } from './reference-keys.ts';
import type { ReferenceRecord } from './reference-record.ts';

/** The reference data of a tenant in the order of names, after `cursor` (a name). */
export async function listReferences(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<ReferenceRecord>> {
  const found = await queryRecords<ReferenceRecord>(deps, {
    partition: referencesPartition(tenant),
    after: cursor,
    limit,
  });
  const items = found.map(({ value }) => value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.name ?? null) };
}
