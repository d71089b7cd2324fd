import { KmsThrottled, OverLimit, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PushQueue, PushTask } from '../../ports/push-queue.ts';
import { checkTasks, isTask } from '../runtime/push-limits.ts';
import { awsError } from './aws-error.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface SqsPushQueueOptions {
  readonly client: SQSClient;
  /** The URL of a FIFO queue. */
  readonly queueUrl: string;
  readonly clock: Clock;
}

const maxBatch = 10;
const maxFailures = 5;

/**
 * A `PushQueue` on a FIFO queue of SQS that deduplicates by message group: each shard is one. Of the
 * tasks of one call, one that SQS refuses at first comes behind the others.
 */
export function sqsPushQueue({ client, queueUrl, clock }: SqsPushQueueOptions): PushQueue {
  async function sendAll(entries: readonly SendMessageBatchRequestEntry[]): Promise<void> {
    let left = [...entries];
    for (let failures = 0; left.length > 0; failures++) {
      await clock.sleep(retryDelayMs(failures));
      const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left });
      const { Failed = [] } = await client.send(command).catch(rethrow);
      if (Failed.length > 0 && failures === maxFailures) throw unavailable(Failed[0]?.Code);
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
    }
  }

  return {
    async send(tasks) {
      checkTasks(tasks);
      const entries = tasks.map(toEntry);
      for (let start = 0; start < entries.length; start += maxBatch) {
        await sendAll(entries.slice(start, start + maxBatch));
      }
    },
  };
}

/** The task that a message holds. Errors: `TypeError` for one that holds none. */
export function pushTaskOf(body: string): PushTask {
  const value: unknown = JSON.parse(body);
  if (isTask(value)) return value;
  throw new TypeError('a message of the queue is not a task');
}

function toEntry(task: PushTask, place: number): SendMessageBatchRequestEntry {
  return {
    Id: String(place),
    MessageBody: JSON.stringify(task),
    MessageGroupId: `${task.tenant}/${task.shard}`,
    MessageDeduplicationId: task.id,
  };
}

function rethrow(error: unknown): never {
  if (error instanceof OverLimit || error instanceof KmsThrottled) {
    throw new Unavailable('The queue of pushes is too busy. Try again.', error);
  }
  throw awsError(error, 'The queue of pushes');
}

function unavailable(cause: string | undefined): Unavailable {
  return new Unavailable(
    'The queue of pushes did not take all tasks. Try again.',
    new Error(`SQS refuses an entry: ${cause ?? 'no reason given'}`),
  );
}
