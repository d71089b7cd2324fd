import type { KeyOf } from '../records.ts';
import type { JournalEntry, JournalHead, RelayCursor } from './journal-entry.ts';

/** 12 digits: 31 000 years at one entry a millisecond. */
const indexDigits = 12;

export function sortableIndex(index: number): string {
  return String(index).padStart(indexDigits, '0');
}

/**
 * A journal is named by its tenant, `demo`; one of its logs for work at a high rate, by the tenant
 * and a name of its own: `demo#jobs-3`.
 */
export function journalPartition(journal: string): string {
  return `${journal}#journal`;
}

/** The journal whose entries are in a partition. */
export function journalOfPartition(partition: string): string {
  return partition.slice(0, partition.lastIndexOf('#'));
}

/** The tenant that a journal belongs to. */
export function tenantOfJournal(journal: string): string {
  const end = journal.indexOf('#');
  return end === -1 ? journal : journal.slice(0, end);
}

/** The stream filter of `lib/constructs/journal-relay.ts` selects entries by this prefix. */
export function entrySort(index: number): string {
  return `entry#${sortableIndex(index)}`;
}

export function entryKey(journal: string, index: number): KeyOf<JournalEntry> {
  return { partition: journalPartition(journal), sort: entrySort(index) };
}

export function headKey(journal: string): KeyOf<JournalHead> {
  return { partition: `${journal}#state`, sort: 'journal-head' };
}

/** How far the events of this journal have been relayed. */
export function relayCursorKey(journal: string): KeyOf<RelayCursor> {
  return { partition: `${journal}#state`, sort: 'relay-cursor' };
}

/** Every journal that there is, by its name: the one list that belongs to no tenant. */
export const journalsPartition = '#tenants';
