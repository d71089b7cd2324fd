import assert from 'node:assert/strict';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import { headKey } from '../../../src/core/journal/journal-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import { journal, namedKey } from './notes.ts';

/**
 * Throws unless what `counting` has counted is exactly what its journal tells: no gap, each counter
 * the sum of its entries, and the tallies of the head the same. Answers the entries.
 */
export async function checkedCounters(
  records: RecordStore,
  name = 'demo',
): Promise<readonly JournalEntry[]> {
  const entries = await journal(records, name);
  const sums: Record<string, number> = {};
  entries.forEach((entry, index) => {
    assert.equal(entry.index, index, `a gap before entry ${index}`);
    const { value, by } = entry.after as { value: number; by: number };
    assert.equal(entry.before ?? 0, sums[entry.subject] ?? 0, `entry ${index} rests on another`);
    sums[entry.subject] = value;
    assert.equal(value, Number(entry.before ?? 0) + by);
  });
  for (const [counter, sum] of Object.entries(sums)) {
    const held = await getRecord({ records }, namedKey(name, counter));
    assert.equal(held?.value, sum, `the counter ${counter}`);
  }
  const head = await getRecord({ records }, headKey(name));
  const tally = Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
  const last = entries.at(-1);
  assert.deepEqual(
    head?.value,
    last === undefined
      ? undefined
      : {
          nextIndex: entries.length,
          at: last.at,
          ...(Object.keys(tally).length === 0 ? {} : { tally }),
        },
  );
  const ids = new Set(entries.map(({ commitId }) => commitId));
  assert.equal(ids.size, entries.length, 'two entries of one commit id');
  return entries;
}
