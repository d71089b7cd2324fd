import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import type { Clock } from '../../ports/clock.ts';
import type { OpenUpload, UploadGate, UploadWish } from '../../ports/upload-gate.ts';
import { checkUpload } from '../runtime/upload-limits.ts';
import { awsError } from './aws-error.ts';
import { blobObjectKey } from './blob-object-key.ts';

export interface S3UploadGateOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
}

/**
 * An `UploadGate` that signs `PutObject` calls for the bucket of `s3Blobs`. No call to AWS is made.
 *
 * What is signed, S3 holds the caller to: the key, the length, the type, the SHA-256, which it
 * compares with the bytes, and `If-None-Match: *`. The bucket's own encryption applies. The
 * signer's credentials need `s3:PutObject` there, and what its key asks for; with the credentials of
 * a role, the upload ends with them, if that is earlier.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html
 */
export function s3UploadGate({ client, bucket, clock }: S3UploadGateOptions): UploadGate {
  return {
    async open(wish, ttlMs) {
      const expiresIn = checkUpload(wish, ttlMs);
      // The date in a signature has no fraction of a second.
      const signedAtMs = Math.floor(clock.nowMs() / 1000) * 1000;
      const headers = headersOf(wish);
      return {
        method: 'PUT',
        url: await sign(client, bucket, wish, { signingDate: new Date(signedAtMs), expiresIn }),
        headers,
        expiresAt: new Date(signedAtMs + expiresIn * 1000).toISOString(),
      };
    },
  };
}

function headersOf({ digest, contentType }: UploadWish): OpenUpload['headers'] {
  return {
    'content-type': contentType,
    'if-none-match': '*',
    'x-amz-checksum-sha256': Buffer.from(digest, 'hex').toString('base64'),
  };
}

async function sign(
  client: S3Client,
  bucket: string,
  wish: UploadWish,
  times: { readonly signingDate: Date; readonly expiresIn: number },
): Promise<string> {
  const headers = headersOf(wish);
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: blobObjectKey(wish),
    ContentType: wish.contentType,
    ContentLength: wish.sizeBytes,
    ChecksumSHA256: headers['x-amz-checksum-sha256'],
    IfNoneMatch: headers['if-none-match'],
  });
  try {
    return await getSignedUrl(client, command, {
      ...times,
      // Else the type would not be signed, and the checksum would be a part of the URL.
      signableHeaders: new Set(['content-type']),
      unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
    });
  } catch (error) {
    throw awsError(error, 'The blob store');
  }
}
