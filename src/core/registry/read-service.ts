import type { StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import { getRecords, queryRecords } from '../records.ts';
import { judgeService } from './judge-health.ts';
import type { ServiceHealth } from './service-health.ts';
import {
  healthKey,
  healthPartition,
  serviceKey,
  serviceNamePattern,
  servicesPartition,
} from './service-keys.ts';
import type { ServiceRecord } from './service-record.ts';

type Reads = Pick<Deps, 'records' | 'clock'>;

/** A service, and how it is: of every target that its manifest names, and of no other. */
export interface ServiceState {
  readonly record: ServiceRecord;
  readonly health: ServiceHealth;
}

/** One round trip. Errors: `NotFound`, also for another tenant's. */
export async function readService(
  deps: Reads,
  tenant: string,
  name: string,
): Promise<ServiceState> {
  const found = await findService(deps, tenant, name);
  if (found === undefined) throw noService(name);
  return stateOf(found.service.value, found.health?.value, deps.clock.nowMs());
}

export function noService(name: string): NotFound {
  const told = serviceNamePattern.test(name) ? `There is no service "${name}".` : undefined;
  return new NotFound(told ?? 'There is no such service.');
}

/** The two records of a service, as they are stored. */
export interface StoredService {
  readonly service: StoredRecord<ServiceRecord>;
  readonly health: StoredRecord<ServiceHealth> | undefined;
}

export async function findService(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  name: string,
): Promise<StoredService | undefined> {
  if (!serviceNamePattern.test(name)) return undefined;
  const keys = [serviceKey(tenant, name), healthKey(tenant, name)] as const;
  const [service, health] = await getRecords(deps, keys);
  return service === undefined ? undefined : { service, health };
}

/** As many as a tenant may have. */
export const maxServices = 200;

/** Every service of a tenant, by name: two queries. */
export async function readServices(deps: Reads, tenant: string): Promise<ServiceState[]> {
  const [services, healths] = await Promise.all([
    queryRecords<ServiceRecord>(deps, { partition: servicesPartition(tenant), limit: 1000 }),
    queryRecords<ServiceHealth>(deps, { partition: healthPartition(tenant), limit: 1000 }),
  ]);
  const byName = new Map(healths.map(({ key, value }) => [key.sort, value]));
  const nowMs = deps.clock.nowMs();
  return services.map(({ key, value }) => stateOf(value, byName.get(key.sort), nowMs));
}

/** The records are read one by one: their targets may differ for a moment. */
function stateOf(
  record: ServiceRecord,
  health: ServiceHealth | undefined,
  nowMs: number,
): ServiceState {
  return { record, health: judgeService(record.manifest, health, new Map(), nowMs) };
}
