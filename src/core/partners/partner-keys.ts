import type { SecretRef } from '../../ports/secret-store.ts';
import { sortableIndex } from '../journal/journal-keys.ts';
import type { KeyOf } from '../records.ts';
import type { NoticesRecord, NoticesRef } from './delivery.ts';
import type { Partner } from './partner.ts';

/** The partners of a tenant, by name. */
export function partnersPartition(tenant: string): string {
  return `${tenant}#partners`;
}

export function partnerKey(tenant: string, name: string): KeyOf<Partner> {
  return { partition: partnersPartition(tenant), sort: name };
}

/** Where the secret store has what is secret about a partner. */
export function partnerSecret(tenant: string, name: string): SecretRef {
  return { tenant, name: `partner/${name}` };
}

/** What the runs of a tenant tell its partners, by run. */
export function noticesPartition(tenant: string): string {
  return `${tenant}#notices`;
}

export function noticesKey({ tenant, run, kind }: NoticesRef): KeyOf<NoticesRecord> {
  return { partition: noticesPartition(tenant), sort: `${sortableIndex(run)}#${kind}` };
}

/** Notices with a delivery that is still open, over all tenants, by the time of the next attempt. */
export const duePartition = '#deliveries';

export function dueKey(
  { tenant, run, kind }: NoticesRef,
  /** RFC 3339 in UTC, to the millisecond. */
  dueAt: string,
): KeyOf<NoticesRef> {
  return { partition: duePartition, sort: `${dueAt}#${tenant}#${sortableIndex(run)}#${kind}` };
}
