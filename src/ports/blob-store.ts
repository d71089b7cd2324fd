/** The address of a blob: whose it is, and the SHA-256 of its bytes (64 lower-case hex digits). */
export interface BlobRef {
  readonly tenant: string;
  readonly digest: string;
}

/**
 * Immutable bytes under their own digest, up to 16 MiB each.
 *
 * The caller vouches that `ref.digest` is the digest of the bytes. Two tenants never
 * share a blob: who may ask for one cannot learn that another tenant has it.
 * Durability: what `put` acknowledged survives `kill -9` and loss of power; a blob is
 * seen whole or not at all.
 * Concurrency: any number of puts of one ref leave one blob; at most one answers `'stored'`,
 * and exactly one where every answer arrives.
 * Errors: `Unavailable`; after it, a put may or may not have happened, and may be repeated.
 */
export interface BlobStore {
  put(ref: BlobRef, bytes: Uint8Array): Promise<'stored' | 'present'>;
  get(ref: BlobRef): Promise<Uint8Array | undefined>;
  /** The size, without the bytes. */
  head(ref: BlobRef): Promise<{ readonly sizeBytes: number } | undefined>;
}
