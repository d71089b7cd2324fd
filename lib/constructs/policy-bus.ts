import { Aws, Duration } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import type { DeadLetters } from './dead-letters.ts';
import { logGroupArn } from './log-group-arn.ts';

export interface PolicyBusProps {
  readonly config: StageConfig;
  readonly deadLetters: DeadLetters;
}

const everything = { account: [Aws.ACCOUNT_ID] };

/**
 * The bus that others subscribe to with rules of their own. All that passes is archived, for a
 * replay to a subscriber that was broken, and logged, so that one can see what was sent.
 */
export class PolicyBus extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, { config, deadLetters }: PolicyBusProps) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { eventBusName: `hms-${config.stage}` });
    this.bus.archive('Archive', {
      description: `Everything on hms-${config.stage}`,
      eventPattern: everything,
      retention: Duration.days(config.archiveDays),
    });
    this.#logEvents(config, deadLetters);
  }

  #logEvents(config: StageConfig, deadLetters: DeadLetters): void {
    const log = new LogGroup(this, 'Log', {
      // EventBridge writes only where the name begins so.
      logGroupName: `/aws/events/hms-${config.stage}`,
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
    // The L2 target of this kind has a Lambda of its own that makes this policy.
    log.addToResourcePolicy(
      new PolicyStatement({
        principals: ['events', 'delivery.logs'].map(
          (service) => new ServicePrincipal(`${service}.amazonaws.com`),
        ),
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [log.logGroupArn],
      }),
    );
    const rule = new Rule(this, 'LogEverything', { eventBus: this.bus, eventPattern: everything });
    const arn = logGroupArn(log);
    rule.addTarget({ bind: () => ({ arn, deadLetterConfig: { arn: deadLetters.queueArn } }) });
    deadLetters.acceptFrom(rule);
  }
}
