import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { pushTaskOf } from '../src/adapters/aws/sqs-push-queue.ts';
import { awsPush } from '../src/compose/aws-push.ts';
import { doPushTasks } from '../src/core/push/do-push-tasks.ts';

const deps = awsPush();

/** Tells connections what they subscribed to. What failed stays in the queue, with all of its shard. */
export async function handler({ Records: records }: SQSEvent): Promise<SQSBatchResponse> {
  const tasks = records.map(({ body, messageId }) => ({ ...pushTaskOf(body), messageId }));
  const failed = await doPushTasks(deps, tasks);
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
