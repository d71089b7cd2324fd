import { Construct } from 'constructs';

import type { DeadLetters } from './dead-letters.ts';
import { everyMinute } from './every-minute.ts';
import { jobsEnvironment } from './job-queues.ts';
import type { JobWorkersProps } from './job-workers.ts';
import { NodeFunction } from './node-function.ts';
import { storeAccess } from './store-access.ts';

export interface JobReconcilerProps extends JobWorkersProps {
  readonly deadLetters: DeadLetters;
}

/**
 * Every minute: sends jobs again that fell out of their queue, and measures how many wait, and how
 * long. Two at once do no harm, so that one with many tenants may outlast its minute: what is sent
 * twice is started once.
 */
export class JobReconciler extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: JobReconcilerProps) {
    super(scope, id);
    const { config, store, queues, deadLetters } = props;
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'reconcile-jobs',
      description: 'Sends jobs again that fell out of their queue',
      memoryMb: 1024,
      timeoutS: 290,
      environment: {
        HMS_TABLE: store.table.tableName,
        ...jobsEnvironment(config, queues.types),
      },
      statements: [
        ...storeAccess(store, {
          table: ['BatchGetItem', 'Query'],
          families: { read: ['journals', 'heads', 'openJobs', 'jobs'], write: [] },
        }),
        ...queues.sending(),
        ...deadLetters.sending(),
      ],
    });
    everyMinute(this, this.function, deadLetters);
  }
}
