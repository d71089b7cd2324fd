import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import { JobQueues, jobPriorities } from '../constructs/job-queues.ts';
import { JobReconciler } from '../constructs/job-reconciler.ts';
import { JobWorkers } from '../constructs/job-workers.ts';
import type { JobWorker } from '../constructs/job-workers.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { pascalCase } from '../constructs/pascal-case.ts';
import type { Store } from '../constructs/store-access.ts';

export interface JobsStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What does jobs: their queues, our workers, and who looks after jobs that fell out of a queue. */
export class JobsStack extends Stack {
  readonly queues: JobQueues;
  readonly workers: readonly JobWorker[];
  readonly reconciler: NodeFunction;
  /** Of the reconciler: each type of job has its own. */
  readonly deadLetters: DeadLetters;

  constructor(scope: Construct, id: string, { config, store, ...props }: JobsStackProps) {
    super(scope, id, props);
    this.queues = new JobQueues(this, 'Queues', config, store.key);
    this.deadLetters = new DeadLetters(this, 'DeadLetters', store.key);
    const { queues, deadLetters } = this;
    this.workers = new JobWorkers(this, 'Work', { config, store, queues }).workers;
    const reconcile = { config, store, queues, deadLetters };
    this.reconciler = new JobReconciler(this, 'ReconcileJobs', reconcile).function;
    for (const { type, byPriority, deadLetters: dead } of queues.types) {
      const named = pascalCase(type);
      for (const priority of jobPriorities) {
        const value = byPriority[priority].queueUrl;
        new CfnOutput(this, `JobQueueUrl${named}${pascalCase(priority)}`, { value });
      }
      new CfnOutput(this, `JobDeadLettersUrl${named}`, { value: dead.queueUrl });
    }
    new CfnOutput(this, 'JobReconcilerDeadLettersUrl', { value: deadLetters.queueUrl });
  }
}
