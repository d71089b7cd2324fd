import type { Deps } from '../deps.ts';
import type { Page } from '../policies/list-policies.ts';
import { readServices, type ServiceState } from './read-service.ts';

/**
 * The services of a tenant in the order of their names, after `cursor` (a name): those that get
 * traffic, or all of them. Two queries, whatever the page: a tenant has 200 at the most.
 */
export async function listServices(
  deps: Pick<Deps, 'records' | 'clock'>,
  tenant: string,
  { all }: { readonly all: boolean },
  cursor: string | undefined,
  limit: number,
): Promise<Page<ServiceState>> {
  const found = await readServices(deps, tenant);
  const left = found.filter(
    ({ record, health }) =>
      (all || health.status !== 'red') && (cursor === undefined || record.manifest.name > cursor),
  );
  const items = left.slice(0, limit);
  const last = items.at(-1)?.record.manifest.name ?? null;
  return { items, next: left.length > limit ? last : null };
}
