import { Duration, Validations } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

import type { WorkerType } from '../../src/contract/worker-types.ts';
import type { StageConfig } from '../config.ts';
import { jobPriorities, jobsEnvironment, workTimeoutS } from './job-queues.ts';
import type { JobPriority, JobQueues, TypeQueues } from './job-queues.ts';
import { NodeFunction } from './node-function.ts';
import {
  acknowledgeAllSecrets,
  secretAccess,
  secretsEnvironment,
  targetsEnvironment,
} from './partner-access.ts';
import { pascalCase } from './pascal-case.ts';
import { queueAccess } from './queue-access.ts';
import { acknowledgeAllBlobs, storeAccess } from './store-access.ts';
import type { Store, StoreNeeds } from './store-access.ts';

export interface JobWorkersProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly queues: JobQueues;
}

export interface JobWorker {
  readonly type: string;
  readonly function: NodeFunction;
}

/** An attempt, the rules that govern it, and data that is too large for the record of a job. */
const changeJobNeeds = ['GetItem', 'BatchGetItem', 'PutItem', 'DeleteItem'] as const;

interface WorkerNeeds extends StoreNeeds {
  /** It tells services of something, and signs that. */
  readonly tells?: true;
}

/** What a worker reads in its transaction and does not write is checked when it commits what it writes. */
const needs: Readonly<Record<WorkerType, WorkerNeeds>> = {
  'pothole.report': { table: [...changeJobNeeds, 'ConditionCheckItem'], blobs: ['GetObject'] },
  'case.close': { table: changeJobNeeds, blobs: ['GetObject'] },
  'event.deliver': {
    table: changeJobNeeds,
    // It talks to services of tenants.
    families: {
      read: ['policies', 'services', 'serviceHealth', 'entries', 'heads', 'jobs'],
      write: ['entries', 'heads', 'jobs', 'openJobs', 'deadJobs'],
    },
    blobs: ['GetObject'],
    tells: true,
  },
};

/**
 * What works on jobs: for each type a function, which Lambda calls with what its queues hold. Each
 * priority has a share of its own, the higher the larger, so that no flood of low ones takes the
 * place of the high.
 */
export class JobWorkers extends Construct {
  readonly workers: readonly JobWorker[];

  constructor(scope: Construct, id: string, props: JobWorkersProps) {
    super(scope, id);
    this.workers = props.queues.types.map((queues) => {
      const worker = this.#worker(queues, props);
      for (const priority of jobPriorities) {
        this.#feed(worker, queues, priority, props.config.jobs.workerConcurrency[priority]);
      }
      return { type: queues.type, function: worker };
    });
  }

  #worker(queues: TypeQueues, { config, store }: JobWorkersProps): NodeFunction {
    const { type, byPriority } = queues;
    const tells = needs[type].tells !== undefined;
    const worker = new NodeFunction(this, pascalCase(type), {
      config,
      handler: 'work-jobs',
      description: `Works on jobs: ${type}`,
      memoryMb: 1769,
      timeoutS: workTimeoutS,
      environment: {
        HMS_TABLE: store.table.tableName,
        HMS_BUCKET: store.bucket.bucketName,
        HMS_GOVERNANCE_DEFAULT: config.jobs.governanceDefault,
        ...jobsEnvironment(config, [queues]),
        ...(tells ? secretsEnvironment(config, store) : {}),
        ...(tells ? targetsEnvironment(config) : {}),
      },
      statements: [
        ...storeAccess(store, needs[type]),
        ...queueAccess(Object.values(byPriority), store.key, 'work'),
        ...(tells ? secretAccess(config, store, 'service', 'read') : []),
      ],
    });
    acknowledgeAllBlobs(worker, store);
    if (tells) acknowledgeAllSecrets(worker, config, 'service');
    return worker;
  }

  #feed(
    worker: NodeFunction,
    { type, byPriority }: TypeQueues,
    priority: JobPriority,
    maxConcurrency: number,
  ): void {
    const mapping = new EventSourceMapping(this, `${pascalCase(type)}-${priority}`, {
      target: worker.function,
      eventSourceArn: byPriority[priority].queueArn,
      batchSize: 10,
      // A job is not to wait for others.
      maxBatchingWindow: Duration.seconds(0),
      maxConcurrency,
      // One that fails, or waits for its next attempt, stays in the queue; the others leave it.
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
}
