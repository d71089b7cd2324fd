import type { BlobStore } from '../../src/ports/blob-store.ts';
import { injectFaults, type Faults } from './inject-faults.ts';

const methods = { put: true, get: true, head: true } as const;

export function faultyBlobs<Store extends BlobStore>(
  blobs: Store,
  faults: Faults<keyof typeof methods>,
): Store {
  return injectFaults(blobs, methods, faults);
}
