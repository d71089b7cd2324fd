import { createHash } from 'node:crypto';

import {
  BatchGetItemCommand,
  GetItemCommand,
  IdempotentParameterMismatchException,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient, QueryCommandInput } from '@aws-sdk/client-dynamodb';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  RecordKey,
  RecordQuery,
  RecordStore,
  StoredRecord,
} from '../../ports/record-store.ts';
import { checkKey, checkKeys, checkQuery, encodeCommit } from '../runtime/record-limits.ts';
import { awsError } from './aws-error.ts';
import { toKey, toRecord } from './dynamo-item.ts';
import type { DynamoItem } from './dynamo-item.ts';
import { retryDelayMs } from './retry-delay.ts';
import { sortRange } from './sort-range.ts';
import { transactItem } from './transact-item.ts';

export interface DynamoRecordsOptions {
  readonly client: DynamoDBClient;
  /** With the keys `pk` and `sk`, both strings, and TTL on `expiresAt`. */
  readonly table: string;
  readonly clock: Clock;
}

const maxEmptyAnswers = 5;
const maxClientTokenLength = 36;

/** A `RecordStore` on one DynamoDB table: `get` is one GetItem, `commit` one TransactWriteItems. */
export function dynamoRecords(options: DynamoRecordsOptions): RecordStore {
  const { client, table, clock } = options;
  return {
    async get(key, readOptions) {
      checkKey(key);
      const command = new GetItemCommand({
        TableName: table,
        Key: toKey(key),
        ConsistentRead: readOptions?.consistency !== 'eventual',
      });
      const { Item } = await client.send(command).catch(rethrow);
      return toRecord(Item, clock.nowMs());
    },

    async getMany(keys) {
      checkKeys(keys);
      const records = new Map<string, StoredRecord>();
      for (const item of await batchGet(options, keys.map(toKey))) {
        const record = toRecord(item, clock.nowMs());
        if (record !== undefined) records.set(nameOf(record.key), record);
      }
      return keys.map((key) => records.get(nameOf(key)));
    },

    async query(query) {
      checkQuery(query);
      return queryRecords(options, query);
    },

    async commit(writes, token) {
      const values = encodeCommit(writes, token);
      const nowMs = clock.nowMs();
      const command = new TransactWriteItemsCommand({
        TransactItems: writes.map((write, i) => transactItem(table, write, values[i] ?? '', nowMs)),
        ClientRequestToken: clientToken(token),
      });
      try {
        await client.send(command);
        return 'committed';
      } catch (error) {
        if (isConflict(error)) return 'conflict';
        throw translated(error);
      }
    },
  };
}

async function batchGet(
  { client, table, clock }: DynamoRecordsOptions,
  keys: readonly DynamoItem[],
): Promise<DynamoItem[]> {
  const items: DynamoItem[] = [];
  let wanted = [...keys];
  let emptyAnswers = 0;
  while (wanted.length > 0) {
    const command = new BatchGetItemCommand({
      RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } },
    });
    const { Responses, UnprocessedKeys } = await client.send(command).catch(rethrow);
    const answered = Responses?.[table] ?? [];
    items.push(...answered);
    wanted = UnprocessedKeys?.[table]?.Keys ?? [];
    if (wanted.length === 0) break;
    // An answer holds at most 16 MB: that some keys are left need not mean throttling.
    emptyAnswers = answered.length > 0 ? 0 : emptyAnswers + 1;
    if (emptyAnswers > maxEmptyAnswers) throw tooBusy();
    await clock.sleep(retryDelayMs(emptyAnswers));
  }
  return items;
}

async function queryRecords(
  { client, table, clock }: DynamoRecordsOptions,
  query: RecordQuery,
): Promise<StoredRecord[]> {
  const { partition, prefix = '', order, limit } = query;
  const range = sortRange(query);
  if (range === undefined) return [];
  const { low, high, startAfter } = range;
  const records: StoredRecord[] = [];
  let skipped = 0;
  let startKey = startAfter === undefined ? undefined : toKey({ partition, sort: startAfter });
  do {
    const command = new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      ScanIndexForward: order !== 'desc',
      ...keyCondition(partition, low, high),
      // What is missing, and more when many are expired: not a page for each of those.
      Limit: limit - records.length + skipped,
      ExclusiveStartKey: startKey,
    });
    const { Items = [], LastEvaluatedKey } = await client.send(command).catch(rethrow);
    for (const item of Items) {
      const record = toRecord(item, clock.nowMs());
      if (record?.key.sort.startsWith(prefix) === true) records.push(record);
      else skipped++;
    }
    startKey = LastEvaluatedKey;
  } while (startKey !== undefined && records.length < limit);
  return records.slice(0, limit);
}

function keyCondition(
  partition: string,
  low: string | undefined,
  high: string | undefined,
): Pick<QueryCommandInput, 'KeyConditionExpression' | 'ExpressionAttributeValues'> {
  const values: DynamoItem = { ':pk': { S: partition } };
  if (low !== undefined) values[':low'] = { S: low };
  if (high !== undefined) values[':high'] = { S: high };
  let condition = 'pk = :pk';
  if (low !== undefined && high !== undefined) condition += ' AND sk BETWEEN :low AND :high';
  else if (low !== undefined) condition += ' AND sk >= :low';
  else if (high !== undefined) condition += ' AND sk <= :high';
  return { KeyConditionExpression: condition, ExpressionAttributeValues: values };
}

/** DynamoDB's own token has at most 36 characters. */
function clientToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, maxClientTokenLength);
}

function isConflict(error: unknown): boolean {
  // A repeat: a commit with this token came in the last ten minutes, and the conditions name
  // another time now. Its own writes are in the way, or somebody else's.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
  if (error instanceof IdempotentParameterMismatchException) return true;
  return isCancelledFor(error, 'ConditionalCheckFailed', 'TransactionConflict');
}

function isCancelledFor(error: unknown, ...codes: string[]): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  return error.CancellationReasons?.some(({ Code = '' }) => codes.includes(Code)) ?? false;
}

function rethrow(error: unknown): never {
  throw translated(error);
}

function translated(error: unknown): unknown {
  const isThrottled = isCancelledFor(error, 'ThrottlingError', 'ProvisionedThroughputExceeded');
  return isThrottled ? tooBusy(error) : awsError(error, 'The record store');
}

function tooBusy(cause?: unknown): Unavailable {
  return new Unavailable('The record store is too busy. Try again.', cause);
}

/** Unique, since keys hold no control character. */
function nameOf({ partition, sort }: RecordKey): string {
  return `${partition}\n${sort}`;
}
