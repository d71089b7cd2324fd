import type { BlobRef } from '../../ports/blob-store.ts';

/** Where a blob is in its bucket: `<tenant>/<first two digits>/<digest>`. */
export function blobObjectKey({ tenant, digest }: BlobRef): string {
  return `${tenant}/${digest.slice(0, 2)}/${digest}`;
}
