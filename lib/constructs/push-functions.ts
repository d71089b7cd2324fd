import { Validations } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { journalsEnvironment } from './job-queues.ts';
import { NodeFunction } from './node-function.ts';
import type { PushGateway } from './push-gateway.ts';
import { pushTimeoutS } from './push-queue.ts';
import type { PushQueue } from './push-queue.ts';
import { storeAccess } from './store-access.ts';
import type { Store } from './store-access.ts';

export interface PushFunctionsProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly gateway: PushGateway;
  readonly push: PushQueue;
}

export interface PushFunctions {
  readonly frames: NodeFunction;
  readonly changes: NodeFunction;
}

/** Who answers what clients say, and who tells them of changes. */
export function pushFunctions(scope: Construct, props: PushFunctionsProps): PushFunctions {
  const { config, store, gateway, push } = props;
  const environment = {
    HMS_TABLE: store.table.tableName,
    HMS_PUSH_ENDPOINT: gateway.endpoint,
    HMS_PUSH_QUEUE: push.queue.queueUrl,
    ...journalsEnvironment(config.jobs),
  };
  const table = ['GetItem', 'BatchGetItem', 'PutItem', 'DeleteItem'] as const;
  const posting = gateway.posting();
  const frames = new NodeFunction(scope, 'AnswerFrames', {
    config,
    handler: 'answer-frames',
    description: 'Connections, and what their clients say',
    memoryMb: 512,
    timeoutS: 25,
    environment,
    statements: [...storeAccess(store, { table }), posting, ...push.sending()],
  });
  const changes = new NodeFunction(scope, 'PushChanges', {
    config,
    handler: 'push-changes',
    description: 'Tells connections of changes',
    memoryMb: 1024,
    timeoutS: pushTimeoutS,
    environment,
    statements: [
      ...storeAccess(store, { table: [...table, 'Query'] }),
      posting,
      ...push.sending(),
      ...push.working(),
    ],
  });
  for (const worker of [frames, changes]) gateway.acknowledgeAllConnections(worker);
  feed(scope, changes, push);
  return { frames, changes };
}

function feed(scope: Construct, worker: NodeFunction, push: PushQueue): void {
  const mapping = new EventSourceMapping(scope, 'Tasks', {
    target: worker.function,
    eventSourceArn: push.queue.queueArn,
    batchSize: 10,
    // What failed stays in the queue, with all of its shard.
    reportBatchItemFailures: true,
  });
  // Lambda tests the rights of the function when the mapping is made.
  mapping.node.addDependency(worker);
  Validations.of(mapping).acknowledge({
    id: 'Serverless-LambdaEventSourceMappingDestination',
    reason:
      'Lambda takes no destination for what comes from SQS: what fails stays in the queue, and ' +
      'the queue has dead letters of its own.',
  });
}
