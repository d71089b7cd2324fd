import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

import { everyMinute } from './every-minute.ts';
import { journalWorkerEnvironment } from './journal-relay.ts';
import type { JournalWorkerProps } from './journal-relay.ts';
import { NodeFunction } from './node-function.ts';
import { changeRunNeeds } from './rollout-functions.ts';
import { storeAccess } from './store-access.ts';

/**
 * Every minute: puts in force what waits for its time, and relays what the stream's trigger missed.
 * Two at once do no harm, so nothing is reserved to keep it alone; a run ends before the next.
 */
export class JournalSweep extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: JournalWorkerProps) {
    super(scope, id);
    const { config, store, bus, queues, push, deadLetters } = props;
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'sweep-journals',
      description: 'Puts due rules in force and relays what was missed',
      memoryMb: 512,
      timeoutS: 55,
      environment: journalWorkerEnvironment(props),
      statements: [
        ...storeAccess(store, { table: [...changeRunNeeds, 'Query', 'ConditionCheckItem'] }),
        new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
        ...queues.sending(),
        ...push.sending(),
        ...deadLetters.sending(),
      ],
    });
    everyMinute(this, this.function, deadLetters);
  }
}
