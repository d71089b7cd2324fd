import type { Deps } from '../deps.ts';
import type { JournalEntry } from './journal-entry.ts';
import { entriesAfter } from './read-journal.ts';

/**
 * `entriesAfter` for many readers: those of a tenant who stand at the same place share one read.
 * A page with entries is kept, since entries never change: one page for each tenant. An empty one
 * is not, since the next moment may fill it.
 */
export function shareReads(
  deps: Pick<Deps, 'records'>,
  limit: number,
): (tenant: string, index: number) => Promise<JournalEntry[]> {
  const latest = new Map<
    string,
    { readonly index: number; readonly page: Promise<JournalEntry[]> }
  >();

  async function read(tenant: string, index: number): Promise<JournalEntry[]> {
    try {
      const entries = await entriesAfter(deps, tenant, index, limit);
      if (entries.length === 0) latest.delete(tenant);
      return entries;
    } catch (error) {
      latest.delete(tenant);
      throw error;
    }
  }

  return (tenant, index) => {
    const known = latest.get(tenant);
    if (known?.index === index) return known.page;
    const page = read(tenant, index);
    latest.set(tenant, { index, page });
    return page;
  };
}
