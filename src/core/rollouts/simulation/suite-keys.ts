import type { KeyOf } from '../../records.ts';

/** A suite that is registered: all but its document, which the blob store has under `digest`. */
export interface RegisteredSuite {
  readonly name: string;
  /** The policies that it is for, 1 to 20. */
  readonly policies: readonly string[];
  /** How many scenarios it has. */
  readonly scenarios: number;
  /** SHA-256 of the document as minimised JSON, 64 hex digits. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly changedAt: string;
  readonly changedBy: string;
}

/** The suites of a tenant, by name: one light record each. */
export function suitesPartition(tenant: string): string {
  return `${tenant}#suites`;
}

export function suiteKey(tenant: string, name: string): KeyOf<RegisteredSuite> {
  return { partition: suitesPartition(tenant), sort: name };
}
