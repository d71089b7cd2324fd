import { CreateQueueCommand, DeleteQueueCommand } from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';

import type { JobQueueUrls } from '../../src/adapters/aws/sqs-job-queue.ts';

export interface EmulatedJobQueues extends AsyncDisposable {
  readonly queues: JobQueueUrls;
}

/** The queues that `sqsJobQueue` needs for these types of job, until they are disposed of. */
export async function emulatedJobQueues(
  client: SQSClient,
  types: readonly string[],
): Promise<EmulatedJobQueues> {
  await using cleanup = new AsyncDisposableStack();
  const createQueue = async (): Promise<string> => {
    const created = await client.send(
      new CreateQueueCommand({ QueueName: `test-${crypto.randomUUID()}` }),
    );
    const { QueueUrl = '' } = created;
    cleanup.defer(async () => void (await client.send(new DeleteQueueCommand({ QueueUrl }))));
    return QueueUrl;
  };
  const queues: Record<string, { high: string; normal: string; low: string }> = {};
  for (const type of types) {
    queues[type] = {
      high: await createQueue(),
      normal: await createQueue(),
      low: await createQueue(),
    };
  }
  const kept = cleanup.move();
  return { queues, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
