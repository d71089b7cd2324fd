import { Stack, Validations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

import { recordFamilies } from './record-families.ts';
import type { RecordFamily } from './record-families.ts';

/** Where state is kept. */
export interface Store {
  readonly table: ITable;
  readonly bucket: IBucket;
  readonly key: IKey;
}

/** `TransactWriteItems` needs those of its parts, and is no action of its own. */
type TableAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'DeleteItem'
  | 'ConditionCheckItem';

type BlobAction = 'GetObject' | 'PutObject';

export interface StoreNeeds {
  readonly table: readonly TableAction[];
  /**
   * Which records it reads (or checks), and which it writes, of every tenant; all of them where this is
   * left out. See docs/adr/0023-records-by-family.md.
   */
  readonly families?: {
    readonly read: readonly RecordFamily[];
    readonly write: readonly RecordFamily[];
  };
  readonly blobs?: readonly BlobAction[];
}

/**
 * What a role must be allowed for these calls, and no more: `table.grantReadWriteData` and its like
 * also allow scans, updates and whole batches, which nothing here ever calls.
 */
export function storeAccess(store: Store, needs: StoreNeeds): PolicyStatement[] {
  const blobs = needs.blobs ?? [];
  const statements = [
    ...tableUse(store, needs),
    keyUse(store, 'dynamodb', needs.table.some(writes)),
  ];
  if (blobs.length === 0) return statements;
  return [
    ...statements,
    new PolicyStatement({
      actions: blobs.map((action) => `s3:${action}`),
      resources: [store.bucket.arnForObjects('*')],
    }),
    keyUse(store, 's3', blobs.some(writes)),
  ];
}

function tableUse({ table }: Store, { table: actions, families }: StoreNeeds): PolicyStatement[] {
  const allow = (some: readonly TableAction[], of?: readonly RecordFamily[]) =>
    new PolicyStatement({
      actions: some.map((action) => `dynamodb:${action}`),
      resources: [table.tableArn],
      ...(of === undefined ? {} : { conditions: within(of) }),
    });
  if (families === undefined) return [allow(actions)];
  const reading = actions.filter((action) => !writes(action));
  const writing = actions.filter(writes);
  return [
    allow(reading, families.read),
    ...(writing.length === 0 ? [] : [allow(writing, families.write)]),
  ];
}

/** Of each item that a call is about; a call that is about none is not allowed either. */
function within(families: readonly RecordFamily[]): Record<string, Record<string, unknown>> {
  const patterns = families.map((family) => recordFamilies[family]);
  return {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}

function writes(action: TableAction | BlobAction): boolean {
  return action.startsWith('Put') || action.startsWith('Delete');
}

/**
 * The services use the key in the name of who calls them, and only they may.
 * https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
 */
function keyUse(store: Store, service: 'dynamodb' | 's3', writing: boolean): PolicyStatement {
  const { region, urlSuffix } = Stack.of(store.key);
  return new PolicyStatement({
    actions: writing ? keyActions[service].write : keyActions[service].read,
    resources: [store.key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } },
  });
}

const keyActions = {
  dynamodb: {
    read: ['kms:Decrypt', 'kms:DescribeKey'],
    write: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
  },
  s3: { read: ['kms:Decrypt'], write: ['kms:Decrypt', 'kms:GenerateDataKey'] },
};

/** cdk-nag wants the resource exactly as the template has it: this output is CDK's, of the bucket. */
const bucketArnOutput = 'PublishOutputFnGetAttBlobsBucket1038ED5DArn86327FB8';

/** For a function with rights on blobs. */
export function acknowledgeAllBlobs(worker: Construct, { bucket }: Store): void {
  const StackName = Stack.of(bucket).stackName;
  const Region = { Ref: 'AWS::Region' };
  const arn = { 'Fn::GetStackOutput': { StackName, Region, OutputName: bucketArnOutput } };
  Validations.of(worker).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${JSON.stringify(arn)}/*]`,
    reason: 'The objects of one bucket: their names are digests, which nobody knows beforehand.',
  });
}
