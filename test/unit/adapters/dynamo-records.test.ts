import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  IdempotentParameterMismatchException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  QueryCommand,
  ResourceNotFoundException,
  TransactionCanceledException,
  TransactionInProgressException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { dynamoRecords } from '../../../src/adapters/aws/dynamo-records.ts';
import { toItem } from '../../../src/adapters/aws/dynamo-item.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { RecordKey } from '../../../src/ports/record-store.ts';

const table = 'hms';
const nowMs = Date.UTC(2026, 0, 1);

/** A mock of the client's `send`, a store on it, and how long the store slept. */
function setUp() {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const sleptMs: number[] = [];
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => void sleptMs.push(ms),
  };
  const calls = (): string[] => mock.calls().map(({ args }) => args[0].constructor.name);
  return { mock, calls, sleptMs, records: dynamoRecords({ client, table, clock }) };
}

const keyOf = (sort: string): RecordKey => ({ partition: 'p', sort });
const itemOf = (sort: string, json = '1') => toItem(keyOf(sort), 1, json, undefined);
const put = { kind: 'put', key: keyOf('a'), value: 1, expect: 'absent' } as const;
const meta = { message: 'no', $metadata: {} };

function cancelled(...codes: string[]): TransactionCanceledException {
  return new TransactionCanceledException({
    ...meta,
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
}

describe('reads', () => {
  it.each([
    [undefined, true],
    ['strong', true],
    ['eventual', false],
  ] as const)('get with consistency %s is one GetItem', async (consistency, consistent) => {
    const { mock, calls, records } = setUp();
    mock.on(GetItemCommand).resolves({ Item: itemOf('a', '{"limit":25}') });
    const options = consistency === undefined ? {} : { consistency };
    expect(await records.get(keyOf('a'), options)).toEqual({
      key: keyOf('a'),
      value: { limit: 25 },
      rev: 1,
    });
    expect(calls()).toEqual(['GetItemCommand']);
    expect(mock.call(0).args[0].input).toEqual({
      TableName: table,
      Key: { pk: { S: 'p' }, sk: { S: 'a' } },
      ConsistentRead: consistent,
    });
  });

  it('getMany asks again for what was left out, at once while there is progress', async () => {
    const { mock, calls, sleptMs, records } = setUp();
    const left = { [table]: { Keys: [{ pk: { S: 'p' }, sk: { S: 'b' } }] } };
    mock
      .on(BatchGetItemCommand)
      .resolvesOnce({ Responses: { [table]: [itemOf('a')] }, UnprocessedKeys: left })
      .resolvesOnce({ Responses: { [table]: [] }, UnprocessedKeys: left })
      .resolves({ Responses: { [table]: [itemOf('b')] }, UnprocessedKeys: {} });
    const found = await records.getMany([keyOf('b'), keyOf('none'), keyOf('a')]);
    expect(found.map((record) => record?.key.sort)).toEqual(['b', undefined, 'a']);
    expect(calls()).toHaveLength(3);
    expect(mock.commandCalls(BatchGetItemCommand)[1]?.args[0].input.RequestItems).toEqual({
      [table]: { ...left[table], ConsistentRead: true },
    });
    expect(sleptMs[0]).toBe(0);
    expect(sleptMs[1]).toBeGreaterThan(0);
  });

  it('getMany gives up when nothing comes any more', async () => {
    const { mock, calls, records } = setUp();
    const left = { [table]: { Keys: [{ pk: { S: 'p' }, sk: { S: 'a' } }] } };
    mock.on(BatchGetItemCommand).resolves({ Responses: {}, UnprocessedKeys: left });
    await expect(records.getMany([keyOf('a')])).rejects.toThrow(Unavailable);
    expect(calls()).toHaveLength(6);
  });

  it('query goes on where a page ended early, and asks only for what is missing', async () => {
    const { mock, records } = setUp();
    const LastEvaluatedKey = { pk: { S: 'p' }, sk: { S: 'b' } };
    mock
      .on(QueryCommand)
      .resolvesOnce({ Items: [itemOf('a'), itemOf('b')], LastEvaluatedKey })
      .resolves({ Items: [itemOf('c')], LastEvaluatedKey: { pk: { S: 'p' }, sk: { S: 'c' } } });
    const found = await records.query({ partition: 'p', limit: 3 });
    expect(found.map(({ key }) => key.sort)).toEqual(['a', 'b', 'c']);
    const inputs = mock.commandCalls(QueryCommand).map(({ args }) => args[0].input);
    expect(inputs).toMatchObject([
      { Limit: 3, ConsistentRead: true, ExclusiveStartKey: undefined },
      { Limit: 1, ConsistentRead: true, ExclusiveStartKey: LastEvaluatedKey },
    ]);
  });

  it('query does not fetch a thousand expired records one by one', async () => {
    const { mock, calls, records } = setUp();
    let left = 1000;
    mock.on(QueryCommand).callsFake(async ({ Limit }: { Limit: number }) => {
      const gone = Math.min(left, Limit);
      left -= gone;
      const expired = toItem(keyOf('a'), 1, '1', nowMs);
      const LastEvaluatedKey = gone < Limit ? undefined : itemOf('a');
      const Items = [
        ...Array<typeof expired>(gone).fill(expired),
        ...(gone < Limit ? [itemOf('z')] : []),
      ];
      return { Items, LastEvaluatedKey };
    });
    const found = await records.query({ partition: 'p', limit: 1 });
    expect(found.map(({ key }) => key.sort)).toEqual(['z']);
    expect(calls().length).toBeLessThan(12);
  });

  it('query asks nothing when nothing can be in the range', async () => {
    const { calls, records } = setUp();
    expect(await records.query({ partition: 'p', prefix: 'b', until: 'a', limit: 1 })).toEqual([]);
    expect(calls()).toEqual([]);
  });

  it('refuses an item that is not a record', async () => {
    const { mock, records } = setUp();
    mock.on(GetItemCommand).resolves({ Item: { pk: { S: 'p' }, sk: { S: 'a' } } });
    await expect(records.get(keyOf('a'))).rejects.toThrow('not a record');
  });
});

describe('commit', () => {
  it('is one TransactWriteItems, also for a single write', async () => {
    const { mock, calls, records } = setUp();
    mock.on(TransactWriteItemsCommand).resolves({});
    expect(await records.commit([put], 'token')).toBe('committed');
    expect(calls()).toEqual(['TransactWriteItemsCommand']);
  });

  it('keeps the token, in the form that DynamoDB takes', async () => {
    const { mock, records } = setUp();
    mock.on(TransactWriteItemsCommand).resolves({});
    for (const token of ['a', 'a', 'b', 'é'.repeat(500)]) await records.commit([put], token);
    const sent = mock
      .commandCalls(TransactWriteItemsCommand)
      .map(({ args }) => args[0].input.ClientRequestToken);
    expect(sent[0]).toBe(sent[1]);
    expect(new Set(sent).size).toBe(3);
    for (const token of sent) expect(token).toMatch(/^[\w-]{36}$/);
  });

  it('removes an expired record never before its time', async () => {
    const { mock, records } = setUp();
    mock.on(TransactWriteItemsCommand).resolves({});
    await records.commit([{ ...put, expiresAtMs: nowMs + 1 }], 'token');
    const [write] =
      mock.commandCalls(TransactWriteItemsCommand)[0]?.args[0].input.TransactItems ?? [];
    expect(write?.Put?.Item).toMatchObject({
      expiresAt: { N: String(nowMs / 1000 + 1) },
      expiresAtMs: { N: String(nowMs + 1) },
    });
  });

  it.each<[string, Error]>([
    ['a condition that failed', cancelled('None', 'ConditionalCheckFailed')],
    ['another transaction in the way', cancelled('TransactionConflict')],
    ['a conflict beside throttling', cancelled('ThrottlingError', 'TransactionConflict')],
    ['its own token', new IdempotentParameterMismatchException({ ...meta, Message: 'no' })],
  ])("answers 'conflict' to %s", async (_, error) => {
    const { mock, records } = setUp();
    mock.on(TransactWriteItemsCommand).rejects(error);
    expect(await records.commit([put], 'token')).toBe('conflict');
  });

  it.each<[string, Error]>([
    ['throttling of an item', cancelled('None', 'ThrottlingError')],
    ['too little throughput', cancelled('ProvisionedThroughputExceeded', 'None')],
    ['throttling of the call', new ProvisionedThroughputExceededException(meta)],
    [
      'its first try still under way',
      new TransactionInProgressException({ ...meta, Message: 'no' }),
    ],
    [
      'a server error',
      new InternalServerError({ message: 'no', $metadata: { httpStatusCode: 500 } }),
    ],
    ['a time-out', Object.assign(new Error('no'), { name: 'TimeoutError' })],
    ['a broken connection', Object.assign(new Error('no'), { code: 'ECONNRESET' })],
  ])('throws Unavailable for %s', async (_, error) => {
    const { mock, records } = setUp();
    mock.on(TransactWriteItemsCommand).rejects(error);
    const thrown: unknown = await records.commit([put], 'token').catch((e: unknown) => e);
    expect(thrown).toBeInstanceOf(Unavailable);
    expect(thrown).toHaveProperty('cause', error);
  });

  it.each<[string, Error]>([
    ['an item that DynamoDB refuses', cancelled('ValidationError')],
    ['a table that is not there', new ResourceNotFoundException(meta)],
  ])('throws %s as it came', async (_, error) => {
    const { mock, records } = setUp();
    mock.on(TransactWriteItemsCommand).rejects(error);
    await expect(records.commit([put], 'token')).rejects.toBe(error);
  });

  it.each(['get', 'getMany', 'query'] as const)('%s, too, throws Unavailable', async (method) => {
    const { mock, records } = setUp();
    mock.rejects(new ProvisionedThroughputExceededException(meta));
    const read = {
      get: () => records.get(keyOf('a')),
      getMany: () => records.getMany([keyOf('a')]),
      query: () => records.query({ partition: 'p', limit: 1 }),
    }[method];
    await expect(read()).rejects.toThrow(Unavailable);
  });
});
