import type { BlobStore } from '../../src/ports/blob-store.ts';
import { countCalls, type Counted } from './count-calls.ts';

const zero = { put: 0, get: 0, head: 0 } as const;

/** `port` is the store that counts: `const { port: blobs, calls } = countingBlobs(…)`. */
export function countingBlobs<Store extends BlobStore>(
  blobs: Store,
): Counted<Store, keyof typeof zero> {
  return countCalls(blobs, zero);
}
