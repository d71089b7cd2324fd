import type { KeyOf } from '../records.ts';
import type { JournalEntry, JournalHead, RelayCursor } from './journal-entry.ts';

/** 12 digits: 31 000 years at one entry a millisecond. */
const indexDigits = 12;

export function sortableIndex(index: number): string {
  return String(index).padStart(indexDigits, '0');
}

export function journalPartition(tenant: string): string {
  return `${tenant}#journal`;
}

/** The tenant that a partition belongs to. */
export function tenantOfPartition(partition: string): string {
  return partition.slice(0, partition.indexOf('#'));
}

/** The stream filter of `lib/constructs/journal-relay.ts` selects entries by this prefix. */
export function entrySort(index: number): string {
  return `entry#${sortableIndex(index)}`;
}

export function entryKey(tenant: string, index: number): KeyOf<JournalEntry> {
  return { partition: journalPartition(tenant), sort: entrySort(index) };
}

export function headKey(tenant: string): KeyOf<JournalHead> {
  return { partition: `${tenant}#state`, sort: 'journal-head' };
}

/** How far the events of this tenant have been relayed. */
export function relayCursorKey(tenant: string): KeyOf<RelayCursor> {
  return { partition: `${tenant}#state`, sort: 'relay-cursor' };
}

/** Every tenant that has a journal: the one list that belongs to no tenant. */
export const tenantsPartition = '#tenants';
