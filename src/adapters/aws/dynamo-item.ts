import type { AttributeValue } from '@aws-sdk/client-dynamodb';

import type { Json } from '../../core/values/json.ts';
import type { RecordKey, StoredRecord } from '../../ports/record-store.ts';

/**
 * A record as an item. `value` is JSON text. `expiresAt` is in seconds, rounded up, and starts
 * DynamoDB's own removal, which may be days late; reads and conditions go by `expiresAtMs`.
 */
export type DynamoItem = Record<string, AttributeValue>;

export function toKey({ partition, sort }: RecordKey): DynamoItem {
  return { pk: { S: partition }, sk: { S: sort } };
}

export function toItem(
  key: RecordKey,
  rev: number,
  json: string,
  expiresAtMs: number | undefined,
): DynamoItem {
  const item: DynamoItem = { ...toKey(key), rev: { N: String(rev) }, value: { S: json } };
  if (expiresAtMs === undefined) return item;
  return {
    ...item,
    expiresAt: { N: String(Math.ceil(expiresAtMs / 1000)) },
    expiresAtMs: { N: String(expiresAtMs) },
  };
}

/** `undefined` when there is none, or it has expired. */
export function toRecord(item: DynamoItem | undefined, nowMs: number): StoredRecord | undefined {
  if (item === undefined) return undefined;
  const { pk, sk, rev, value, expiresAtMs } = item;
  if (expiresAtMs?.N !== undefined && Number(expiresAtMs.N) <= nowMs) return undefined;
  if (
    pk?.S === undefined ||
    sk?.S === undefined ||
    rev?.N === undefined ||
    value?.S === undefined
  ) {
    throw new Error('The table holds an item that is not a record.');
  }
  const parsed: Json = JSON.parse(value.S);
  return { key: { partition: pk.S, sort: sk.S }, value: parsed, rev: Number(rev.N) };
}
