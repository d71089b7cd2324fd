import type { Deps } from '../deps.ts';
import { headKey } from '../journal/journal-keys.ts';
import { getRecord, queryRecords } from '../records.ts';
import { servicesPartition, servicesTally } from '../registry/service-keys.ts';
import type { ServiceRecord } from '../registry/service-record.ts';

/** The names of the services of a tenant that subscribe to a type of events. */
type SubscribersOf = (tenant: string, type: string) => Promise<readonly string[]>;

interface Known {
  /** The length of the tenant's journal before the services were read. */
  readonly length: number;
  readonly byType: ReadonlyMap<string, readonly string[]>;
}

const maxTenants = 500;
const none: ReadonlyMap<string, readonly string[]> = new Map();

/**
 * Who subscribes to what, as it stands now or later: one read of the head of the tenant's journal,
 * and where that has moved since the last time and there are services, one query for all of them.
 */
export function subscriptions(deps: Pick<Deps, 'records'>): SubscribersOf {
  const known = new Map<string, Known>();
  return async (tenant, type) => {
    const head = await getRecord(deps, headKey(tenant));
    const length = head?.value.nextIndex ?? 0;
    let found = known.get(tenant);
    if (found?.length !== length) {
      const isEmpty = (head?.value.tally?.[servicesTally] ?? 0) === 0;
      found = { length, byType: isEmpty ? none : await readByType(deps, tenant) };
      // The one that was read longest ago goes.
      known.delete(tenant);
      known.set(tenant, found);
      const [oldest] = known.keys();
      if (known.size > maxTenants && oldest !== undefined) known.delete(oldest);
    }
    return found.byType.get(type) ?? [];
  };
}

async function readByType(
  deps: Pick<Deps, 'records'>,
  tenant: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const partition = servicesPartition(tenant);
  const services = await queryRecords<ServiceRecord>(deps, { partition, limit: 1000 });
  const byType = new Map<string, string[]>();
  for (const { name, events } of services.map(({ value }) => value.manifest)) {
    for (const { type } of events.subscribes) {
      const names = byType.get(type);
      if (names === undefined) byType.set(type, [name]);
      else names.push(name);
    }
  }
  return byType;
}
