import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import { getRecord } from '../records.ts';
import type { JournalEntry, JournalHead } from './journal-entry.ts';
import { entryKey, headKey, journalsPartition } from './journal-keys.ts';

export type CommitDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

const maxSends = 3;

/**
 * Sends one transaction: entries, in order, with the state that they tell of, and the head that
 * counts them. False: somebody else was faster, and nothing was written. Errors: `Unavailable`,
 * when it cannot be told whether it was.
 */
export async function sendCommit(
  deps: CommitDeps,
  journal: string,
  head: { readonly rev: number | undefined; readonly value: JournalHead },
  entries: readonly JournalEntry[],
  state: readonly RecordWrite[],
): Promise<boolean> {
  const [first] = entries;
  if (first === undefined) throw new Error('a commit has an entry');
  const writes = [...journalWrites(journal, head, entries), ...state];
  let unanswered: Unavailable | undefined;
  for (let sends = 1; ; sends++) {
    try {
      if ((await deps.records.commit(writes, first.commitId)) === 'committed') return true;
      const place = await placeOf(deps, journal, first);
      if (place !== 'free') return place === 'ours';
      if (unanswered === undefined) return false;
      // An earlier send is still on its way, it seems: to decide anew could do the change twice.
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      unanswered = error;
    }
    if (sends >= maxSends) {
      if ((await placeOf(deps, journal, first)) === 'ours') return true;
      throw unanswered;
    }
    await deps.clock.sleep(backOffMs(sends));
  }
}

function journalWrites(
  journal: string,
  { rev, value }: { readonly rev: number | undefined; readonly value: JournalHead },
  entries: readonly JournalEntry[],
): RecordWrite[] {
  const writes: RecordWrite[] = [
    { kind: 'put', key: headKey(journal), value, expect: rev ?? 'absent' },
    ...entries.map((entry): RecordWrite => ({
      kind: 'put',
      key: entryKey(journal, entry.index),
      value: entry,
      expect: 'absent',
    })),
  ];
  if (rev === undefined) {
    const key = { partition: journalsPartition, sort: journal };
    writes.push({ kind: 'put', key, value: {}, expect: 'absent' });
  }
  return writes;
}

/**
 * Whose the entry at this index is: it tells what became of a send whose answer was lost. All
 * entries of a transaction share one fate.
 */
async function placeOf(
  deps: CommitDeps,
  journal: string,
  entry: JournalEntry,
): Promise<'ours' | 'free' | 'taken'> {
  const found = await getRecord(deps, entryKey(journal, entry.index));
  if (found === undefined) return 'free';
  return found.value.commitId === entry.commitId ? 'ours' : 'taken';
}

/** Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). */
export function backOffMs(attempt: number): number {
  return Math.random() * Math.min(500, 10 * 2 ** attempt);
}
