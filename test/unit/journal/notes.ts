import { commit } from '../../../src/core/journal/commit.ts';
import type { JournalEntry, Origin } from '../../../src/core/journal/journal-entry.ts';
import { journalPartition } from '../../../src/core/journal/journal-keys.ts';
import { getRecord, type KeyOf, queryRecords } from '../../../src/core/records.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import type { CoreDeps } from '../../support/core-deps.ts';

type CommitDeps = Pick<CoreDeps, 'records' | 'clock' | 'ids' | 'signal'>;

export const origin: Origin = { tenant: 'demo', actor: 'ann', requestId: 'request-1' };

/** What a test changes where it does not matter what: how often it was counted. */
export function counterKey(tenant: string): KeyOf<number> {
  return { partition: `${tenant}#test`, sort: 'counter' };
}

/** Counts one up, and answers the number and the entry. */
export function count(
  deps: CommitDeps,
  by: Origin = origin,
  entry: Partial<Pick<JournalEntry, 'action' | 'subject' | 'reason'>> = {},
): Promise<{ counted: number; entry: JournalEntry }> {
  return commit(deps, by, async () => {
    const key = counterKey(by.tenant);
    const held = await getRecord(deps, key);
    const next = (held?.value ?? 0) + 1;
    return {
      kind: 'change',
      entry: {
        action: 'test.counted',
        subject: 'counter',
        before: held?.value ?? null,
        after: next,
        reason: null,
        ...entry,
      },
      writes: () => [{ kind: 'put', key, value: next, expect: held?.rev ?? 'absent' }],
      result: (written) => ({ counted: next, entry: written }),
    };
  });
}

export async function countOf(records: RecordStore, tenant = 'demo'): Promise<number> {
  return (await getRecord({ records }, counterKey(tenant)))?.value ?? 0;
}

/** All entries, up to 1000. */
export async function journal(records: RecordStore, tenant = 'demo'): Promise<JournalEntry[]> {
  const partition = journalPartition(tenant);
  const found = await queryRecords<JournalEntry>({ records }, { partition, limit: 1000 });
  return found.map(({ value }) => value);
}

/** A whole number from 0 to below `n`, the same for the same seed in any run. */
export function randomFrom(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    // https://en.wikipedia.org/wiki/Linear_congruential_generator (Numerical Recipes)
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * n);
  };
}
