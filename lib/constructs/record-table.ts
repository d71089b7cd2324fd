import {
  AttributeType,
  BillingMode,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';

export interface RecordTableProps {
  readonly config: StageConfig;
  readonly key: IKey;
}

/** The one table: channels, snapshots, journal. Its keys are those of `src/ports/record-store.ts`. */
export class RecordTable extends Table {
  constructor(scope: Construct, id: string, { config, key }: RecordTableProps) {
    super(scope, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAt',
      // No capacity to plan, and none to run out of: an agency's poll storm is not ours to guess.
      billingMode: BillingMode.PAY_PER_REQUEST,
      // The relay reads the journal itself; the stream only wakes it.
      stream: StreamViewType.KEYS_ONLY,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key,
      deletionProtection: config.deletionProtection,
      removalPolicy: config.removalPolicy,
    });
  }
}
