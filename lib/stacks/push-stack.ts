import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { pushFunctions } from '../constructs/push-functions.ts';
import type { PushFunctions } from '../constructs/push-functions.ts';
import { PushGateway } from '../constructs/push-gateway.ts';
import { PushQueue } from '../constructs/push-queue.ts';
import type { Store } from '../constructs/store-access.ts';

export interface PushStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What tells changes over WebSockets: who holds them, what is to be told, and who tells it. */
export class PushStack extends Stack {
  readonly gateway: PushGateway;
  readonly push: PushQueue;
  readonly functions: PushFunctions;

  constructor(scope: Construct, id: string, { config, store, ...props }: PushStackProps) {
    super(scope, id, props);
    this.gateway = new PushGateway(this, 'Gateway', config);
    this.push = new PushQueue(this, 'Push', store.key);
    const { gateway, push } = this;
    this.functions = pushFunctions(this, { config, store, gateway, push });
    gateway.answerBy(this.functions.frames);
    new CfnOutput(this, 'PushUrl', { value: gateway.url });
    new CfnOutput(this, 'PushQueueUrl', { value: push.queue.queueUrl });
    new CfnOutput(this, 'PushDeadLettersUrl', { value: push.deadLetters.queueUrl });
  }
}
