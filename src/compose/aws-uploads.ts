import { S3Client } from '@aws-sdk/client-s3';
import { s3UploadGate } from '../adapters/aws/s3-upload-gate.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { UploadGate } from '../ports/upload-gate.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsUploads(): UploadGate {
  return s3UploadGate({
    client: new S3Client(awsClient),
    bucket: setting('HMS_BUCKET'),
    clock: systemClock,
  });
}
