import { Duration, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';

export interface BlobBucketProps {
  readonly config: StageConfig;
  readonly key: IKey;
}

const closed = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
} as const;

/**
 * Packages and attachments, by digest. Nothing ever expires: a court may ask for any of them.
 * Versioned, so that what is overwritten or deleted past our code can be had back.
 */
export class BlobBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { config, key }: BlobBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      ...closed,
      versioned: true,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      // One data key for many objects: a call to KMS now and then, not one for each blob.
      bucketKeyEnabled: true,
      serverAccessLogsBucket: this.#accessLogs(config),
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: config.removalPolicy,
    });
  }

  #accessLogs(config: StageConfig): Bucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      ...closed,
      // S3 cannot deliver logs into a bucket under a key of ours:
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(config.logRetention) }],
      removalPolicy: config.removalPolicy,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'This is where the access logs go: logging its own access would never end.',
    });
    return bucket;
  }
}
