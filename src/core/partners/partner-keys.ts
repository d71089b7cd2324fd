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

export function noticesKey(ref: NoticesRef): KeyOf<NoticesRecord> {
  return { partition: noticesPartition(ref.tenant), sort: noticesSort(ref) };
}

/** What the keys of all notices of a run begin with. */
export function noticesPrefix(run: number): string {
  return `${sortableIndex(run)}#`;
}

function noticesSort({ run, kind, entry }: NoticesRef): string {
  const part = entry === undefined ? '' : `#${sortableIndex(entry)}`;
  return `${noticesPrefix(run)}${kind}${part}`;
}

/** Notices with a delivery that is still open, over all tenants, by the time of the next attempt. */
export const duePartition = '#deliveries';

export function dueKey(
  ref: NoticesRef,
  /** RFC 3339 in UTC, to the millisecond. */
  dueAt: string,
): KeyOf<NoticesRef> {
  return { partition: duePartition, sort: `${dueAt}#${ref.tenant}#${noticesSort(ref)}` };
}
