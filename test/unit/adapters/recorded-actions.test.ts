import {
  DynamoDBClient,
  GetItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';

import { recordActions } from '../../support/recorded-actions.ts';

/** Nobody listens there: what is recorded does not depend on an answer. */
const nowhere = {
  endpoint: 'http://127.0.0.1:9',
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};

const key = { pk: { S: 'p' }, sk: { S: 's' } };
const ConditionExpression = 'attribute_exists(pk)';

it('names the actions as IAM does', async () => {
  const actions = new Set<string>();
  const dynamo = new DynamoDBClient(nowhere);
  const s3 = new S3Client(nowhere);
  const events = new EventBridgeClient(nowhere);
  const sqs = new SQSClient(nowhere);
  for (const client of [dynamo, s3, events, sqs]) recordActions(client, actions);
  await Promise.allSettled([
    dynamo.send(new GetItemCommand({ TableName: 't', Key: key })),
    s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' })),
    events.send(new PutEventsCommand({ Entries: [{ Source: 's' }] })),
    sqs.send(new SendMessageBatchCommand({ QueueUrl: 'http://127.0.0.1:9/0/q', Entries: [] })),
  ]);
  expect([...actions].sort()).toEqual([
    'dynamodb:GetItem',
    'events:PutEvents',
    's3:GetObject',
    'sqs:SendMessage',
  ]);
});

it('names what a transaction does, not the transaction', async () => {
  const dynamo = new DynamoDBClient(nowhere);
  const actions = recordActions(dynamo);
  const send = (item: object): Promise<unknown> =>
    dynamo
      .send(new TransactWriteItemsCommand({ TransactItems: [item] }))
      .catch((error: unknown) => error);
  await send({ Put: { TableName: 't', Item: key } });
  expect([...actions]).toEqual(['dynamodb:PutItem']);
  await send({ Delete: { TableName: 't', Key: key } });
  await send({ ConditionCheck: { TableName: 't', Key: key, ConditionExpression } });
  expect([...actions]).toEqual([
    'dynamodb:PutItem',
    'dynamodb:DeleteItem',
    'dynamodb:ConditionCheckItem',
  ]);
});
