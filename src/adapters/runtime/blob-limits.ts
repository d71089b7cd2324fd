import type { BlobRef } from '../../ports/blob-store.ts';

const maxBlobBytes = 16 * 1024 * 1024;

// No upper case: two tenants must not meet in one folder of a file system that ignores case.
const tenantForm = /^[a-z0-9][a-z0-9._-]{0,127}$/;
const digestForm = /^[0-9a-f]{64}$/;

/**
 * The limits of the BlobStore port, one and the same for every adapter. A ref that passes is safe
 * as a path or an object key. A breach is a defect of the caller: `RangeError`.
 */
export function checkBlobRef(ref: BlobRef): void {
  if (!tenantForm.test(ref.tenant)) throw new RangeError('not a tenant that can hold blobs');
  if (!digestForm.test(ref.digest)) throw new RangeError('a digest is 64 lower-case hex digits');
}

export function checkBlobSize(bytes: Uint8Array): void {
  if (bytes.byteLength > maxBlobBytes) {
    throw new RangeError(`a blob has at most ${maxBlobBytes} bytes, not ${bytes.byteLength}`);
  }
}
