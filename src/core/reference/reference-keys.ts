import type { KeyOf } from '../records.ts';
import type { ReferenceRecord } from './reference-record.ts';

/** The reference data of a tenant, by name: one light record each. */
export function referencesPartition(tenant: string): string {
  return `${tenant}#references`;
}

export function referenceKey(tenant: string, name: string): KeyOf<ReferenceRecord> {
  return { partition: referencesPartition(tenant), sort: name };
}
