import type { IKey } from 'aws-cdk-lib/aws-kms';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Aws } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

export interface AlarmTopicProps {
  /** Under which what waits to be told is kept; null: it is not worth one. */
  readonly key: IKey | null;
  /** Gets a mail to confirm first. */
  readonly email: string | null;
}

/** Where every alarm goes; people and pagers subscribe to it. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, { key, email }: AlarmTopicProps) {
    super(scope, id, {
      displayName: 'HMS alarms',
      ...(key === null ? {} : { masterKey: key }),
      enforceSSL: true,
    });
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    if (email !== null) this.addSubscription(new EmailSubscription(email));
  }
}
