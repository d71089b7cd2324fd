import type { BlobStore } from '../ports/blob-store.ts';

/** A blob store that is loaded by its first call: most cold starts never make one. */
export function lazyBlobs(load: () => Promise<BlobStore>): BlobStore {
  let loading: Promise<BlobStore> | undefined;
  const loaded = () => (loading ??= load());
  return {
    put: async (ref, bytes) => (await loaded()).put(ref, bytes),
    get: async (ref) => (await loaded()).get(ref),
    head: async (ref) => (await loaded()).head(ref),
  };
}

export function lazyAwsBlobs(): BlobStore {
  return lazyBlobs(async () => (await import('./aws-blobs.ts')).awsBlobs());
}
