import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import { JournalRelay } from '../constructs/journal-relay.ts';
import { JournalSweep } from '../constructs/journal-sweep.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { PolicyBus } from '../constructs/policy-bus.ts';
import type { Store } from '../constructs/store-access.ts';

export interface EventsStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What tells others: from the journal to the bus that they subscribe to. */
export class EventsStack extends Stack {
  readonly deadLetters: DeadLetters;
  readonly relay: NodeFunction;
  readonly sweep: NodeFunction;

  constructor(scope: Construct, id: string, { config, store, ...props }: EventsStackProps) {
    super(scope, id, props);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', store.key);
    const { bus } = new PolicyBus(this, 'Policies', { config, deadLetters: this.deadLetters });
    const worker = { config, store, bus, deadLetters: this.deadLetters };
    this.relay = new JournalRelay(this, 'Relay', worker).function;
    this.sweep = new JournalSweep(this, 'Sweep', worker).function;
    new CfnOutput(this, 'BusName', { value: bus.eventBusName });
    new CfnOutput(this, 'BusArn', { value: bus.eventBusArn });
    new CfnOutput(this, 'DeadLettersUrl', { value: this.deadLetters.queueUrl });
  }
}
