import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll } from 'vitest';

import { pushTaskOf, sqsPushQueue } from '../../src/adapters/aws/sqs-push-queue.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { describePushQueue } from './push-queue.suite.ts';

const client = new SQSClient({});
afterAll(() => client.destroy());

describePushQueue('sqsPushQueue', async () => {
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({
      QueueName: `test-${crypto.randomUUID()}.fifo`,
      Attributes: {
        FifoQueue: 'true',
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      },
    }),
  );
  const receipts: string[] = [];
  return {
    queue: sqsPushQueue({ client, queueUrl: QueueUrl, clock: systemClock }),
    async take() {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 0,
      });
      const { Messages = [] } = await client.send(command);
      receipts.push(...Messages.map(({ ReceiptHandle = '' }) => ReceiptHandle));
      return Messages.map(({ Body = '' }) => pushTaskOf(Body));
    },
    async done() {
      for (const ReceiptHandle of receipts.splice(0)) {
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    },
    close: async () => void (await client.send(new DeleteQueueCommand({ QueueUrl }))),
  };
});
