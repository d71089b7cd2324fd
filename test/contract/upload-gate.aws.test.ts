import { S3Client } from '@aws-sdk/client-s3';
import { afterAll } from 'vitest';

import { s3Blobs } from '../../src/adapters/aws/s3-blobs.ts';
import { s3UploadGate } from '../../src/adapters/aws/s3-upload-gate.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { testBucket } from '../support/test-bucket.ts';
import { describeUploadGate } from './upload-gate.suite.ts';

const client = new S3Client({});
const bucket = await testBucket(client);
afterAll(async () => {
  await bucket[Symbol.asyncDispose]();
  client.destroy();
});
const options = { client, bucket: bucket.bucket, clock: systemClock };

describeUploadGate('s3UploadGate', async () => ({
  gate: s3UploadGate(options),
  blobs: s3Blobs(options),
  nowMs: () => systemClock.nowMs(),
  send: fetch,
  elapse: (ms) => systemClock.sleep(ms),
  ignored: ['X-Amz-Algorithm'],
}));
