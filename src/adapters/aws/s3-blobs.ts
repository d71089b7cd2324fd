import { Readable } from 'node:stream';

import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { BlobRef, BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import { checkBlobRef, checkBlobSize } from '../runtime/blob-limits.ts';
import { awsError } from './aws-error.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface S3BlobsOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
}

const maxConflicts = 5;
const maxBlobBytes = 16 * 1024 * 1024;

/**
 * A `BlobStore` in one S3 bucket, as `<tenant>/<first two digits>/<digest>`.
 *
 * S3 itself compares the bytes with the digest and refuses others. Costs: one call each, unless
 * two puts of one ref meet. Without the right `s3:ListBucket`, S3 answers 403 for an object that is
 * not there, and so `get` and `head` throw.
 */
export function s3Blobs({ client, bucket, clock }: S3BlobsOptions): BlobStore {
  return {
    async put(ref, bytes) {
      checkBlobRef(ref);
      checkBlobSize(bytes);
      for (let conflicts = 0; conflicts <= maxConflicts; conflicts++) {
        await clock.sleep(retryDelayMs(conflicts));
        const outcome = await putOnce(client, bucket, ref, bytes);
        if (outcome !== 'conflict') return outcome;
      }
      throw new Unavailable('Others keep writing the same blob. Try again.');
    },

    async get(ref) {
      checkBlobRef(ref);
      const command = new GetObjectCommand({ Bucket: bucket, Key: keyOf(ref) });
      try {
        return await bytesOf(await client.send(command));
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw translated(error);
      }
    },

    async head(ref) {
      checkBlobRef(ref);
      const command = new HeadObjectCommand({ Bucket: bucket, Key: keyOf(ref) });
      try {
        return { sizeBytes: (await client.send(command)).ContentLength ?? 0 };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw translated(error);
      }
    },
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
async function putOnce(
  client: S3Client,
  bucket: string,
  ref: BlobRef,
  bytes: Uint8Array,
): Promise<'stored' | 'present' | 'conflict'> {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: keyOf(ref),
    Body: bytes,
    ContentType: 'application/octet-stream',
    ChecksumSHA256: Buffer.from(ref.digest, 'hex').toString('base64'),
    IfNoneMatch: '*',
  });
  try {
    await client.send(command);
    return 'stored';
  } catch (error) {
    if (error instanceof S3ServiceException) {
      if (error.name === 'PreconditionFailed') return 'present';
      // Another put of it, or a delete, is under way.
      if (error.name === 'ConditionalRequestConflict') return 'conflict';
    }
    throw translated(error);
  }
}

async function bytesOf({ Body, ContentLength }: GetObjectCommandOutput): Promise<Uint8Array> {
  if (Body === undefined) throw new Error('S3 answered without a body.');
  if ((ContentLength ?? 0) > maxBlobBytes) {
    // Unread, it would keep the connection.
    if (Body instanceof Readable) Body.destroy();
    throw new Error('The bucket holds an object that is not a blob.');
  }
  return Body.transformToByteArray();
}

function translated(error: unknown): unknown {
  return awsError(error, 'The blob store');
}

function keyOf({ tenant, digest }: BlobRef): string {
  return `${tenant}/${digest.slice(0, 2)}/${digest}`;
}
