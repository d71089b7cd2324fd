import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import type { DeadLetters } from './dead-letters.ts';
import { jobsEnvironment } from './job-queues.ts';
import type { JobQueues } from './job-queues.ts';
import { NodeFunction } from './node-function.ts';
import type { PushQueue } from './push-queue.ts';
import { storeAccess } from './store-access.ts';
import type { Store } from './store-access.ts';

export interface JournalWorkerProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly bus: IEventBus;
  /** Of the jobs that deliver events to services. */
  readonly queues: JobQueues;
  /** Of what is told over WebSockets. */
  readonly push: PushQueue;
  readonly deadLetters: DeadLetters;
}

/**
 * From journal to bus, and to the services that subscribe, by jobs: each new entry in the table's
 * stream wakes the relay, which reads the journal from its own cursor on.
 */
export class JournalRelay extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: JournalWorkerProps) {
    super(scope, id);
    const { config, store, bus, queues, push, deadLetters } = props;
    const { tableStreamArn } = store.table;
    if (tableStreamArn === undefined) throw new Error('the table has no stream to relay from');
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'relay-journal',
      description: 'Hands journal entries to the event bus',
      memoryMb: 512,
      timeoutS: 60,
      environment: journalWorkerEnvironment(props),
      statements: [
        // A rollback also takes back what partners were promised.
        ...storeAccess(store, {
          table: ['GetItem', 'Query', 'PutItem', 'DeleteItem', 'ConditionCheckItem'],
        }),
        new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
        ...queues.sending(),
        ...push.sending(),
        readStream(tableStreamArn),
        ...deadLetters.sending(),
      ],
    });
    this.#wake(tableStreamArn, deadLetters);
  }

  #wake(tableStreamArn: string, deadLetters: DeadLetters): void {
    const mapping = new EventSourceMapping(this, 'NewEntries', {
      target: this.function.function,
      eventSourceArn: tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(0),
      // One at a time per shard, and a batch is repeated whole: this is what keeps the order.
      parallelizationFactor: 1,
      bisectBatchOnError: false,
      retryAttempts: -1,
      // What the relay could not do in an hour, the sweep goes on trying, every minute.
      maxRecordAge: Duration.hours(1),
      onFailure: deadLetters.destination,
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('INSERT'),
          // `entrySort` of src/core/journal/journal-keys.ts
          dynamodb: { Keys: { sk: { S: FilterRule.beginsWith('entry#') } } },
        }),
      ],
    });
    // Lambda tests these rights when the mapping is made.
    mapping.node.addDependency(this.function);
  }
}

/** What a function is told that relays. */
export function journalWorkerEnvironment(props: JournalWorkerProps): Record<string, string> {
  const { config, store, bus, queues, push } = props;
  return {
    HMS_TABLE: store.table.tableName,
    HMS_BUS: bus.eventBusName,
    HMS_PUSH_QUEUE: push.queue.queueUrl,
    ...jobsEnvironment(config, queues.types),
  };
}

/** Not `table.grantStreamRead`, which also lets it list every stream of the account. */
function readStream(streamArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
      (action) => `dynamodb:${action}`,
    ),
    resources: [streamArn],
  });
}
