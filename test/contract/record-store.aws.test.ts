import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll } from 'vitest';

import { dynamoRecords } from '../../src/adapters/aws/dynamo-records.ts';
import { testTable } from '../support/test-table.ts';
import { describeRecordStore } from './record-store.suite.ts';

const client = new DynamoDBClient({});
const table = await testTable(client);
afterAll(async () => {
  await table[Symbol.asyncDispose]();
  client.destroy();
});

describeRecordStore('dynamoRecords', async ({ clock }) => ({
  records: dynamoRecords({ client, table: table.table, clock }),
}));
