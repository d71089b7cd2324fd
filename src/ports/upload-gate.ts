import type { BlobRef } from './blob-store.ts';

/** The one blob that an upload may put. */
export interface UploadWish extends BlobRef {
  /** At most 16 MiB, as of any blob. */
  readonly sizeBytes: number;
  /** What the caller must send as `Content-Type`: plain, such as `application/pdf`. */
  readonly contentType: string;
}

/** How a client puts it: `method` to `url`, with these headers, and the bytes as the body. */
export interface OpenUpload {
  readonly method: 'PUT';
  /** Whoever has it may put that blob, and do nothing else. */
  readonly url: string;
  /** To be sent as they are. `Content-Length` is the client's own, and must be right. */
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 3339. A request that comes later is refused. */
  readonly expiresAt: string;
}

/**
 * Lets somebody who has no token put one blob into the `BlobStore`, past everything that limits how
 * much a call may carry.
 *
 * Only those very bytes can be put: their size and SHA-256 are part of what was opened, and compared
 * by whoever stores them. Only until it expires, `ttlMs` from now (a second to an hour; a part of a
 * second is dropped). Only if absent: one that is there already is answered 412, and stays. What was
 * put is the blob `{tenant, digest}` of the BlobStore, with its durability, seen whole or not at all.
 * A request that is refused is answered 4xx, and stores nothing.
 * Errors of `open`: `Unavailable`; `RangeError` for a wish or a time out of bounds.
 */
export interface UploadGate {
  open(wish: UploadWish, ttlMs: number): Promise<OpenUpload>;
}
