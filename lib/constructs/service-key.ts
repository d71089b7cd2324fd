import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';

/** The key under which this stage keeps everything at rest; who may use it is in each role. */
export class ServiceKey extends Key {
  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id, {
      description: `HMS ${config.stage}: rules, packages, queues, alarms`,
      enableKeyRotation: true,
      removalPolicy: config.removalPolicy,
      pendingWindow: Duration.days(config.deletionProtection ? 30 : 7),
    });
    // Services have no role that could allow it: EventBridge writes to the queue of dead letters,
    // CloudWatch to the topic of alarms.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ServicesOfThisAccount',
        principals: ['events.amazonaws.com', 'cloudwatch.amazonaws.com'].map(
          (service) => new ServicePrincipal(service),
        ),
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
  }
}
