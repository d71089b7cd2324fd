import type { Deps } from '../deps.ts';
import type { Page } from './list-policies.ts';
import { policyPartition, snapshotPrefix } from './policy-keys.ts';
import { requirePolicy } from './read-history.ts';
import { queryRecords } from '../records.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/** Every snapshot of a policy, newest minute first, after `cursor` (a snapshot id). */
export async function listSnapshots(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<SnapshotRecord>> {
  await requirePolicy(deps, tenant, id);
  const found = await queryRecords<SnapshotRecord>(deps, {
    partition: policyPartition(tenant, id),
    prefix: snapshotPrefix,
    after: cursor === undefined ? undefined : `${snapshotPrefix}${cursor}`,
    order: 'desc',
    limit,
  });
  const items = found.map((record) => record.value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.snapshot ?? null) };
}
