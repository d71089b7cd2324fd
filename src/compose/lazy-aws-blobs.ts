import type { BlobStore } from '../ports/blob-store.ts';
import type { UploadGate } from '../ports/upload-gate.ts';
import { lazyPort } from './lazy-port.ts';

export function lazyAwsBlobs(): BlobStore {
  return lazyPort<BlobStore>(['put', 'get', 'head'], async () =>
    (await import('./aws-blobs.ts')).awsBlobs(),
  );
}

export function lazyAwsUploads(): UploadGate {
  return lazyPort<UploadGate>(['open'], async () =>
    (await import('./aws-uploads.ts')).awsUploads(),
  );
}
