import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsPushQueue } from '../adapters/aws/sqs-push-queue.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { PushQueue } from '../ports/push-queue.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsPushQueue(): PushQueue {
  const queueUrl = setting('HMS_PUSH_QUEUE');
  return sqsPushQueue({ client: new SQSClient(awsClient), queueUrl, clock: systemClock });
}
