import { type ChangeRequest, commit } from '../../../src/core/journal/commit.ts';
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

/** Of many counters of a journal, the one of this name. */
export function namedKey(of: string, name: string): KeyOf<number> {
  return { partition: `${of}#counters`, sort: name };
}

export interface Counted {
  readonly name: string;
  readonly value: number;
  readonly index: number;
}

/** A request to count a named counter up by `by`, and with it the tally of the same name. */
export function counting(
  deps: Pick<CoreDeps, 'records'>,
  name: string,
  { by = 1, journal: of = 'demo', actor = 'ann' } = {},
): ChangeRequest<Counted> {
  const key = namedKey(of, name);
  return {
    origin: { ...origin, actor },
    decide: async () => {
      const held = await getRecord(deps, key);
      const value = (held?.value ?? 0) + by;
      return {
        kind: 'change',
        entry: {
          action: 'test.counted',
          subject: name,
          before: held?.value ?? null,
          after: { value, by },
          reason: null,
        },
        tally: { [name]: by },
        writes: () => [{ kind: 'put', key, value, expect: held?.rev ?? 'absent' }],
        result: ({ index }) => ({ name, value, index }),
      };
    },
  };
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
