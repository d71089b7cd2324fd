import { OverLimit, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { pushTaskOf, sqsPushQueue } from '../../../src/adapters/aws/sqs-push-queue.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { PushTask } from '../../../src/ports/push-queue.ts';

const tasks = Array.from({ length: 12 }, (_, shard): PushTask => ({
  tenant: 'demo',
  shard,
  id: `main/${shard}`,
  kind: 'grown',
  log: 'main',
}));

/** A queue on a client whose n-th call refuses the shards at `refused[n]`; what each call sent. */
function setUp(refused: readonly (readonly number[])[] = []) {
  const client = new SQSClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const calls: number[][] = [];
  const groups = new Map<string | undefined, string | undefined>();
  mock
    .on(SendMessageBatchCommand)
    .callsFake(async ({ Entries = [] }: SendMessageBatchCommandInput) => {
      const bad = refused[calls.length] ?? [];
      const shards = Entries.map(({ MessageBody = '' }) => pushTaskOf(MessageBody).shard);
      for (const { MessageGroupId, MessageDeduplicationId } of Entries) {
        groups.set(MessageGroupId, MessageDeduplicationId);
      }
      calls.push(shards);
      const Failed = Entries.filter((_, place) => bad.includes(shards[place] ?? -1)).map(
        ({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }),
      );
      return { Failed };
    });
  const clock = { nowMs: () => 0, sleep: async () => undefined };
  const queueUrl = 'https://sqs.us-east-1.amazonaws.com/1/push.fifo';
  return { mock, calls, groups, queue: sqsPushQueue({ client, queueUrl, clock }) };
}

describe('sqsPushQueue', () => {
  it('sends ten at a time, each shard as a group and each task by its id', async () => {
    const { queue, calls, groups } = setUp();
    await queue.send(tasks);
    expect(calls).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [10, 11],
    ]);
    expect(groups.get('demo/3')).toBe('main/3');
  });

  it('sends again what was refused, and gives up after a while', async () => {
    const some = setUp([[2, 5], [5]]);
    await some.queue.send(tasks.slice(0, 7));
    expect(some.calls).toEqual([[0, 1, 2, 3, 4, 5, 6], [2, 5], [5]]);
    const always = setUp(Array.from({ length: 20 }, () => [1]));
    await expect(always.queue.send(tasks.slice(0, 2))).rejects.toThrow(Unavailable);
    expect(always.calls).toHaveLength(6);
  });

  it('says that SQS is too busy', async () => {
    const { queue, mock } = setUp();
    mock.on(SendMessageBatchCommand).rejects(new OverLimit({ message: 'x', $metadata: {} }));
    await expect(queue.send(tasks)).rejects.toThrow(Unavailable);
  });

  it.each(['{}', '[]', 'null', '"x"', JSON.stringify({ ...tasks[0], log: 'no log' })])(
    'takes %s for no task',
    (body) => {
      expect(() => pushTaskOf(body)).toThrow(TypeError);
    },
  );
});
