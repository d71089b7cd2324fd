import type { Deps } from '../deps.ts';
import type { JournalEntry } from './journal-entry.ts';
import { entriesAfter } from './read-journal.ts';

/**
 * `entriesAfter` for many readers: those of a journal who stand at the same place share one read.
 * A page with entries is kept, since entries never change: one page for each journal. An empty one
 * is not, since the next moment may fill it.
 */
export function shareReads(
  deps: Pick<Deps, 'records'>,
  limit: number,
): (journal: string, index: number) => Promise<JournalEntry[]> {
  const latest = new Map<
    string,
    { readonly index: number; readonly page: Promise<JournalEntry[]> }
  >();

  async function read(journal: string, index: number): Promise<JournalEntry[]> {
    try {
      const entries = await entriesAfter(deps, journal, index, limit);
      if (entries.length === 0) latest.delete(journal);
      return entries;
    } catch (error) {
      latest.delete(journal);
      throw error;
    }
  }

  return (journal, index) => {
    const known = latest.get(journal);
    if (known?.index === index) return known.page;
    const page = read(journal, index);
    latest.set(journal, { index, page });
    return page;
  };
}
