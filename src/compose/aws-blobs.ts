import { S3Client } from '@aws-sdk/client-s3';
import { s3Blobs } from '../adapters/aws/s3-blobs.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsBlobs(): BlobStore {
  return s3Blobs({
    client: new S3Client(awsClient),
    bucket: setting('HMS_BUCKET'),
    clock: systemClock,
  });
}
