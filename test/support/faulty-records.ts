import type { RecordStore } from '../../src/ports/record-store.ts';
import { injectFaults, type Faults } from './inject-faults.ts';

const methods = { get: true, getMany: true, query: true, commit: true } as const;

/** `faultyRecords(records, { commit: ['none', 'written-but-failed'] })`: the second commit fails. */
export function faultyRecords<Store extends RecordStore>(
  records: Store,
  faults: Faults<keyof typeof methods>,
): Store {
  return injectFaults(records, methods, faults);
}
