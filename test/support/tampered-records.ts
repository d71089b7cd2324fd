import type { RecordKey, RecordStore, StoredRecord } from '../../src/ports/record-store.ts';
import { interceptMethods } from './intercept-methods.ts';

/** The same store, but one record reads otherwise. */
export function tampered(
  inner: RecordStore,
  key: RecordKey,
  change: (record: StoredRecord) => StoredRecord | undefined,
): RecordStore {
  const swap = (record: StoredRecord | undefined): StoredRecord | undefined => {
    const isIt = record?.key.partition === key.partition && record.key.sort === key.sort;
    return isIt ? change(record) : record;
  };
  return interceptMethods(inner, { get: 0, getMany: 0, query: 0 }, async (method, _, call) => {
    const answer = await call();
    if (method === 'get') return swap(answer as StoredRecord | undefined);
    const swapped = (answer as (StoredRecord | undefined)[]).map(swap);
    return method === 'query' ? swapped.filter((record) => record !== undefined) : swapped;
  });
}
