import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoRecords } from '../adapters/aws/dynamo-records.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsRecords(): RecordStore {
  const client = new DynamoDBClient(awsClient);
  return dynamoRecords({ client, table: setting('HMS_TABLE'), clock: systemClock });
}
