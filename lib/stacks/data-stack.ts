import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { BlobBucket } from '../constructs/blob-bucket.ts';
import { RecordTable } from '../constructs/record-table.ts';
import { ServiceKey } from '../constructs/service-key.ts';
import type { Store } from '../constructs/store-access.ts';

export interface DataStackProps extends StackProps {
  readonly config: StageConfig;
}

/** All state: what outlives every other stack. */
export class DataStack extends Stack {
  readonly store: Store;

  constructor(scope: Construct, id: string, { config, ...props }: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: config.deletionProtection });
    const key = new ServiceKey(this, 'Key', config);
    const table = new RecordTable(this, 'Records', { config, key });
    const { bucket } = new BlobBucket(this, 'Blobs', { config, key });
    this.store = { table, bucket, key };
    new CfnOutput(this, 'TableName', { value: table.tableName });
    new CfnOutput(this, 'BucketName', { value: bucket.bucketName });
  }
}
