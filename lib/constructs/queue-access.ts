import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

const queueActions = {
  send: { queue: ['SendMessage'], key: ['kms:Decrypt', 'kms:GenerateDataKey'] },
  /** Lambda receives and deletes in the name of the function. */
  take: {
    queue: ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'],
    key: ['kms:Decrypt'],
  },
  /**
   * Lambda receives and deletes in the name of the function; the function hides, and sends anew what
   * is to wait for longer.
   */
  work: {
    queue: [
      'ReceiveMessage',
      'DeleteMessage',
      'GetQueueAttributes',
      'ChangeMessageVisibility',
      'SendMessage',
    ],
    key: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
};

/**
 * What a role must be allowed to send to these queues, or to work on what they hold:
 * `grantSendMessages` and its like allow more. SQS uses our key in the name of who calls it.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 */
export function queueAccess(
  queues: readonly IQueue[],
  key: IKey,
  need: keyof typeof queueActions,
): PolicyStatement[] {
  const { region, urlSuffix } = Stack.of(key);
  const actions = queueActions[need];
  return [
    new PolicyStatement({
      actions: actions.queue.map((action) => `sqs:${action}`),
      resources: queues.map(({ queueArn }) => queueArn),
    }),
    new PolicyStatement({
      actions: actions.key,
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `sqs.${region}.${urlSuffix}` } },
    }),
  ];
}
