import { createHash, randomBytes } from 'node:crypto';

import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, expect, it } from 'vitest';

import { s3Blobs } from '../../src/adapters/aws/s3-blobs.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { azureBlobs } from '../../src/adapters/azure/azure-blobs.ts';
import { testBucket } from '../support/test-bucket.ts';
import { describeBlobStore } from './blob-store.suite.ts';

const client = new S3Client({});
const bucket = await testBucket(client);
afterAll(async () => {
  await bucket[Symbol.asyncDispose]();
  client.destroy();
});
const onS3 = s3Blobs({ client, bucket: bucket.bucket, clock: systemClock });

const azure = BlobServiceClient.fromConnectionString(process.env['HMS_TEST_AZURE'] ?? '');
const container = azure.getContainerClient(`test-${crypto.randomUUID()}`);
await container.create();
afterAll(() => container.delete());

describeBlobStore('s3Blobs', async () => ({ blobs: onS3 }));

describeBlobStore('azureBlobs', async () => ({ blobs: azureBlobs(container) }));

it('S3 refuses bytes that do not fit their digest', async () => {
  const digest = createHash('sha256').update('others').digest('hex');
  const ref = { tenant: 'demo', digest };
  await expect(onS3.put(ref, randomBytes(8))).rejects.toThrow(S3ServiceException);
  expect(await onS3.head(ref)).toBeUndefined();
});

it('a bucket or a container that is not there is no missing blob', async () => {
  const ref = { tenant: 'demo', digest: 'a'.repeat(64) };
  const noBucket = s3Blobs({ client, bucket: 'test-none', clock: systemClock });
  await expect(noBucket.get(ref)).rejects.toThrow();
  const noContainer = azureBlobs(azure.getContainerClient('test-none'));
  await expect(noContainer.get(ref)).rejects.toThrow();
  await expect(noContainer.head(ref)).rejects.toThrow();
});
