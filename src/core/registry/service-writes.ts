import type { RecordKey, RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { getRecords } from '../records.ts';
import type { Json } from '../values/json.ts';
import type { ServiceHealth } from './service-health.ts';
import {
  healthKey,
  type ProbeEntry,
  probeKey,
  serviceKey,
  serviceNamePattern,
  type ServiceRef,
} from './service-keys.ts';
import type { ServiceManifest, ServiceRecord } from './service-record.ts';

/** Everything that is stored of a service: all of it, or nothing. */
export interface StoredParts {
  readonly service: StoredRecord<ServiceRecord> | undefined;
  readonly health: StoredRecord<ServiceHealth> | undefined;
  readonly probe: StoredRecord<ProbeEntry> | undefined;
}

/** One round trip. */
export async function readParts(
  deps: Pick<Deps, 'records'>,
  ref: ServiceRef,
): Promise<StoredParts> {
  const { tenant, name } = ref;
  if (!serviceNamePattern.test(name)) {
    return { service: undefined, health: undefined, probe: undefined };
  }
  const keys = [serviceKey(tenant, name), healthKey(tenant, name), probeKey(ref)] as const;
  const [service, health, probe] = await getRecords(deps, keys);
  return { service, health, probe };
}

export function putWrites(
  ref: ServiceRef,
  held: StoredParts,
  record: ServiceRecord,
  health: ServiceHealth,
): RecordWrite[] {
  const { tenant, name } = ref;
  const { intervalS } = record.manifest.health;
  const entry: ProbeEntry = { tenant, name, intervalS };
  const isListed = held.probe?.value.intervalS === intervalS;
  return [
    put(serviceKey(tenant, name), record, held.service),
    put(healthKey(tenant, name), health, held.health),
    ...(isListed ? [] : [put(probeKey(ref), entry, held.probe)]),
  ];
}

function put(key: RecordKey, value: unknown, held: StoredRecord<unknown> | undefined): RecordWrite {
  return { kind: 'put', key, value, expect: held?.rev ?? 'absent' };
}

export function removeWrites({ service, health, probe }: StoredParts): RecordWrite[] {
  return [service, health, probe].flatMap((held): RecordWrite[] =>
    held === undefined ? [] : [{ kind: 'delete', key: held.key, expect: held.rev }],
  );
}

/** As the journal has it. */
export function manifestJson(manifest: ServiceManifest): Json {
  const { events, health } = manifest;
  const subscribes = events.subscribes.map((one) => ({ ...one }));
  return { ...manifest, events: { ...events, subscribes }, health: { ...health } };
}
