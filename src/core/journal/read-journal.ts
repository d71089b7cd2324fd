import type { Deps } from '../deps.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { JournalEntry } from './journal-entry.ts';
import { entryKey, entrySort, headKey, journalPartition } from './journal-keys.ts';

type Reads = Pick<Deps, 'records'>;

/** The index that the next entry will get: the length of the journal. */
export async function journalLength(deps: Reads, journal: string): Promise<number> {
  const head = await getRecord(deps, headKey(journal));
  return head?.value.nextIndex ?? 0;
}

/** Up to `limit` (≤ 1000) entries after `index` (-1 for the beginning), in order, without a gap. */
export async function entriesAfter(
  deps: Reads,
  journal: string,
  index: number,
  limit: number,
): Promise<JournalEntry[]> {
  const found = await queryRecords<JournalEntry>(deps, {
    partition: journalPartition(journal),
    after: index < 0 ? undefined : entrySort(index),
    limit,
  });
  const entries = found.map((record) => record.value);
  // DynamoDB's Query is no snapshot: it may miss an entry committed meanwhile, and see the next.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation
  const gap = entries.findIndex((entry, place) => entry.index !== index + 1 + place);
  return gap === -1 ? entries : entries.slice(0, gap);
}

export interface JournalFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly requestId?: string | undefined;
  /** Unix ms, inclusive. */
  readonly sinceMs?: number | undefined;
  /** Unix ms, exclusive. */
  readonly untilMs?: number | undefined;
  readonly order: 'asc' | 'desc';
}

export interface JournalPage {
  readonly items: readonly JournalEntry[];
  /** The index from which the next page goes on, or null at the end. */
  readonly next: number | null;
}

/** Entries that one page looks at, at the most: a rare match makes short pages, not long waits. */
const maxScanned = 2000;
const scanPage = 500;

/**
 * The entries that pass the filter, from `from` on (an index as a page before gave it as `next`).
 * Times are found by binary search, since `at` never decreases; the rest is a bounded scan.
 */
export async function searchJournal(
  deps: Reads,
  journal: string,
  filter: JournalFilter,
  from: number | undefined,
  limit: number,
): Promise<JournalPage> {
  const length = await journalLength(deps, journal);
  const low =
    filter.sinceMs === undefined ? 0 : await firstAt(deps, journal, filter.sinceMs, length);
  const high =
    filter.untilMs === undefined ? length : await firstAt(deps, journal, filter.untilMs, length);
  const step = filter.order === 'asc' ? 1 : -1;
  const start = step === 1 ? Math.max(low, from ?? low) : Math.min(high - 1, from ?? high - 1);
  const items: JournalEntry[] = [];
  let index = start;
  while (index >= low && index < high && Math.abs(index - start) < maxScanned) {
    const entries = await scan(deps, journal, index, step);
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (entry.index < low || entry.index >= high) return { items, next: null };
      if (items.length === limit) return { items, next: entry.index };
      if (matches(entry, filter)) items.push(entry);
      index = entry.index + step;
    }
  }
  return { items, next: index >= low && index < high ? index : null };
}

async function scan(
  deps: Reads,
  journal: string,
  index: number,
  step: 1 | -1,
): Promise<JournalEntry[]> {
  if (step === 1) return entriesAfter(deps, journal, index - 1, scanPage);
  const found = await queryRecords<JournalEntry>(deps, {
    partition: journalPartition(journal),
    after: entrySort(index + 1),
    order: 'desc',
    limit: scanPage,
  });
  return found.map((record) => record.value);
}

function matches(entry: JournalEntry, filter: JournalFilter): boolean {
  return (
    (filter.actor === undefined || entry.actor === filter.actor) &&
    (filter.action === undefined || entry.action === filter.action) &&
    (filter.subject === undefined || entry.subject === filter.subject) &&
    (filter.requestId === undefined || entry.requestId === filter.requestId)
  );
}

/** The first index whose entry was made at `timeMs` or later; `length` when there is none. */
async function firstAt(
  deps: Reads,
  journal: string,
  timeMs: number,
  length: number,
): Promise<number> {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = await getRecord(deps, entryKey(journal, middle));
    if (entry !== undefined && Date.parse(entry.value.at) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
