import type { UploadWish } from '../../ports/upload-gate.ts';
import { checkBlobRef } from './blob-limits.ts';

const maxBlobBytes = 16 * 1024 * 1024;
const minTtlMs = 1000;
const maxTtlMs = 3_600_000;
const contentTypeForm = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,62}$/;

/**
 * The limits of the UploadGate port, one and the same for every adapter. A breach is a defect of
 * the caller: `RangeError`. Answers the whole seconds that the upload is open.
 */
export function checkUpload(wish: UploadWish, ttlMs: number): number {
  checkBlobRef(wish);
  const { sizeBytes, contentType } = wish;
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > maxBlobBytes) {
    throw new RangeError(`a blob has 0 to ${maxBlobBytes} bytes, not ${sizeBytes}`);
  }
  if (!contentTypeForm.test(contentType)) throw new RangeError('not a plain content type');
  if (!(ttlMs >= minTtlMs && ttlMs <= maxTtlMs)) {
    throw new RangeError('an upload is open for a second to an hour');
  }
  return Math.floor(ttlMs / 1000);
}
