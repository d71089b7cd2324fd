import type { RecordStore } from '../../src/ports/record-store.ts';
import { countCalls, type Counted } from './count-calls.ts';

const zero = { get: 0, getMany: 0, query: 0, commit: 0 } as const;

/** `port` is the store that counts: `const { port: records, calls } = countingRecords(…)`. */
export function countingRecords<Store extends RecordStore>(
  records: Store,
): Counted<Store, keyof typeof zero> {
  return countCalls(records, zero);
}
