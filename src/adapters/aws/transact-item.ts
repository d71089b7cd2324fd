import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';

import type { Expectation, RecordWrite } from '../../ports/record-store.ts';
import { toItem, toKey } from './dynamo-item.ts';
import type { DynamoItem } from './dynamo-item.ts';

/** One write of a commit, with its expectation as the condition. `json` is the value of a put. */
export function transactItem(
  table: string,
  write: RecordWrite,
  json: string,
  nowMs: number,
): TransactWriteItem {
  const guarded = { TableName: table, ...condition(write.expect, nowMs) };
  if (write.kind === 'check') return { ConditionCheck: { Key: toKey(write.key), ...guarded } };
  if (write.kind === 'delete') return { Delete: { Key: toKey(write.key), ...guarded } };
  const rev = write.expect === 'absent' ? 1 : write.expect + 1;
  return { Put: { Item: toItem(write.key, rev, json, write.expiresAtMs), ...guarded } };
}

function condition(
  expect: Expectation,
  nowMs: number,
): { ConditionExpression: string; ExpressionAttributeValues: DynamoItem } {
  const now = { ':now': { N: String(nowMs) } };
  if (expect === 'absent') {
    return {
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAtMs <= :now',
      ExpressionAttributeValues: now,
    };
  }
  return {
    ConditionExpression: 'rev = :rev AND (attribute_not_exists(expiresAtMs) OR expiresAtMs > :now)',
    ExpressionAttributeValues: { ...now, ':rev': { N: String(expect) } },
  };
}
