import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';

export interface TestBucket extends AsyncDisposable {
  readonly bucket: string;
}

/** A bucket under a name of its own, until it is disposed of. */
export async function testBucket(client: S3Client): Promise<TestBucket> {
  const bucket = `test-${crypto.randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    bucket,
    async [Symbol.asyncDispose]() {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
        for (const { Key } of Contents) {
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
        }
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    },
  };
}
