import type { BlobRef, BlobStore } from '../../src/ports/blob-store.ts';
import { checkBlobRef, checkBlobSize } from '../../src/adapters/runtime/blob-limits.ts';

/** The in-memory fake of the BlobStore. */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Uint8Array>();
  const find = (ref: BlobRef): Uint8Array | undefined => {
    checkBlobRef(ref);
    return blobs.get(`${ref.tenant}/${ref.digest}`);
  };
  return {
    async put(ref, bytes) {
      checkBlobSize(bytes);
      if (find(ref) !== undefined) return 'present';
      blobs.set(`${ref.tenant}/${ref.digest}`, Uint8Array.from(bytes));
      return 'stored';
    },
    async get(ref) {
      return find(ref)?.slice();
    },
    async head(ref) {
      const found = find(ref);
      return found === undefined ? undefined : { sizeBytes: found.byteLength };
    },
  };
}
