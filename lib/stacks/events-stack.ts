import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import type { JobQueues } from '../constructs/job-queues.ts';
import { JournalRelay } from '../constructs/journal-relay.ts';
import { JournalSweep } from '../constructs/journal-sweep.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { PolicyBus } from '../constructs/policy-bus.ts';
import type { PushQueue } from '../constructs/push-queue.ts';
import type { Store } from '../constructs/store-access.ts';

export interface EventsStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly queues: JobQueues;
  /** Of what is told over WebSockets. */
  readonly push: PushQueue;
}

/**
 * What tells others: from the journal to the bus that they subscribe to, to services by jobs, and to
 * who listens over WebSockets.
 */
export class EventsStack extends Stack {
  readonly deadLetters: DeadLetters;
  readonly relay: NodeFunction;
  readonly sweep: NodeFunction;

  constructor(scope: Construct, id: string, given: EventsStackProps) {
    const { config, store, queues, push, ...props } = given;
    super(scope, id, props);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', store.key);
    const { bus } = new PolicyBus(this, 'Policies', { config, deadLetters: this.deadLetters });
    const worker = { config, store, queues, push, bus, deadLetters: this.deadLetters };
    this.relay = new JournalRelay(this, 'Relay', worker).function;
    this.sweep = new JournalSweep(this, 'Sweep', worker).function;
    new CfnOutput(this, 'BusName', { value: bus.eventBusName });
    new CfnOutput(this, 'BusArn', { value: bus.eventBusArn });
    new CfnOutput(this, 'DeadLettersUrl', { value: this.deadLetters.queueUrl });
  }
}
