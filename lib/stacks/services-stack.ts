import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { ServiceProber } from '../constructs/service-prober.ts';
import type { Store } from '../constructs/store-access.ts';

export interface ServicesStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What looks after the services that are registered: who finds out how they are. */
export class ServicesStack extends Stack {
  readonly prober: NodeFunction;
  readonly deadLetters: DeadLetters;

  constructor(scope: Construct, id: string, { config, store, ...props }: ServicesStackProps) {
    super(scope, id, props);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', store.key);
    const { deadLetters } = this;
    this.prober = new ServiceProber(this, 'ProbeServices', { config, store, deadLetters }).function;
    new CfnOutput(this, 'ProberDeadLettersUrl', { value: deadLetters.queueUrl });
  }
}
