import type { SecretRef } from '../../ports/secret-store.ts';
import type { KeyOf } from '../records.ts';
import type { ServiceHealth } from './service-health.ts';
import type { ServiceRecord } from './service-record.ts';

export const serviceNamePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** The services of a tenant, by name. */
export function servicesPartition(tenant: string): string {
  return `${tenant}#services`;
}

export function serviceKey(tenant: string, name: string): KeyOf<ServiceRecord> {
  return { partition: servicesPartition(tenant), sort: name };
}

/** How the services of a tenant are, by name: of each as long as it is registered. */
export function healthPartition(tenant: string): string {
  return `${tenant}#service-health`;
}

export function healthKey(tenant: string, name: string): KeyOf<ServiceHealth> {
  return { partition: healthPartition(tenant), sort: name };
}

/** The address of a service. */
export interface ServiceRef {
  readonly tenant: string;
  readonly name: string;
}

/** That a service is to be probed. */
export interface ProbeEntry extends ServiceRef {
  readonly intervalS: number;
}

/** The services of all tenants, for those who probe them. */
export const probesPartition = '#probes';

export function probeKey({ tenant, name }: ServiceRef): KeyOf<ProbeEntry> {
  return { partition: probesPartition, sort: `${tenant}#${name}` };
}

/** Where the secret store has what a service shares with us: its calls and events are signed by it. */
export function serviceSecret({ tenant, name }: ServiceRef): SecretRef {
  return { tenant, name: `service/${name}` };
}

export function serviceSubject(name: string): string {
  return `service:${name}`;
}

/** The service that an entry is about, or null. */
export function serviceOfSubject(subject: string): string | null {
  return subject.startsWith('service:') ? subject.slice('service:'.length) : null;
}

/** The name of a count in the head of a tenant's journal: how many services it has. */
export const servicesTally = 'services';
