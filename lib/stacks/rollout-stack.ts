import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { EmailIdentity, Identity } from 'aws-cdk-lib/aws-ses';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { rolloutFunctions } from '../constructs/rollout-functions.ts';
import { RolloutMachine } from '../constructs/rollout-machine.ts';
import type { RolloutFunctions } from '../constructs/rollout-machine.ts';
import { RunReconciler } from '../constructs/run-reconciler.ts';
import type { Store } from '../constructs/store-access.ts';

export interface RolloutStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What drives rollouts: the state machine, its tasks, and who looks after runs that lost it. */
export class RolloutStack extends Stack {
  readonly functions: RolloutFunctions;
  readonly reconciler: NodeFunction;
  /** How many runs the reconciler has closed since their process was gone. */
  readonly lostRuns: Metric;
  readonly deadLetters: DeadLetters;

  constructor(scope: Construct, id: string, { config, store, ...props }: RolloutStackProps) {
    super(scope, id, props);
    this.functions = rolloutFunctions(this, { config, store });
    const { functions } = this;
    const { machine } = new RolloutMachine(this, 'Rollout', { config, functions });
    this.deadLetters = new DeadLetters(this, 'DeadLetters', store.key);
    const { deadLetters } = this;
    const reconcile = new RunReconciler(this, 'Reconcile', { config, store, deadLetters });
    this.reconciler = reconcile.function;
    this.lostRuns = reconcile.lostRuns;
    // On AWS it is there before: who owns the address or the domain has confirmed it.
    if (config.emulatorUrl !== null && config.mailFrom !== null) {
      new EmailIdentity(this, 'MailFrom', { identity: Identity.email(config.mailFrom) });
    }
    new CfnOutput(this, 'StateMachineArn', { value: machine.stateMachineArn });
    new CfnOutput(this, 'RolloutDeadLettersUrl', { value: deadLetters.queueUrl });
  }
}
