import type { Deps } from '../../deps.ts';
import type { Page } from '../../policies/list-policies.ts';
import { queryRecords } from '../../records.ts';
import { type RegisteredSuite, suitesPartition } from './suite-keys.ts';

/** The registered suites of a tenant in the order of their names, after `cursor` (a name). */
export async function listSuites(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<RegisteredSuite>> {
  const found = await queryRecords<RegisteredSuite>(deps, {
    partition: suitesPartition(tenant),
    after: cursor,
    limit,
  });
  const items = found.map(({ value }) => value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.name ?? null) };
}
