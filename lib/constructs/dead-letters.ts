import { Duration, Validations } from 'aws-cdk-lib';
import type { Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { queueAccess } from './queue-access.ts';

/** Where a delivery ends that failed for good, until someone has looked at it: 14 days. */
export class DeadLetters extends Queue {
  readonly #key: IKey;

  /** `queueName`: CDK makes one up unless it is given. `fifo`: of a queue that is. */
  constructor(
    scope: Construct,
    id: string,
    key: IKey,
    own: { readonly queueName?: string; readonly fifo?: true } = {},
  ) {
    super(scope, id, {
      ...own,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.#key = key;
    for (const rule of ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy']) {
      const reason = 'This is the queue of dead letters: nothing consumes it but people.';
      Validations.of(this).acknowledge({ id: rule, reason });
    }
  }

  /** What a function must be allowed for Lambda to put its failed events here. */
  sending(): PolicyStatement[] {
    return queueAccess([this], this.#key, 'send');
  }

  /** EventBridge sends in its own name, for the rules that are named here. */
  acceptFrom(rule: Rule): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
      }),
    );
  }

  /** As a destination that grants nothing: who sends gets `sending()`. */
  get destination(): { bind(): { destination: string } } {
    return { bind: () => ({ destination: this.queueArn }) };
  }
}
