import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import type { DeadLetters } from './dead-letters.ts';
import { everyMinute } from './every-minute.ts';
import { NodeFunction } from './node-function.ts';
import { targetsEnvironment } from './partner-access.ts';
import { storeAccess } from './store-access.ts';
import type { Store } from './store-access.ts';

export interface ServiceProberProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly deadLetters: DeadLetters;
}

/**
 * Probes services, each as often as its manifest says. It is called every minute, and goes on for a
 * little more than one (`lambdas/probe-services.ts`), so that there is always one that probes; two at
 * once do no harm. Its timeout is over that time and the longest probe together.
 */
export class ServiceProber extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: ServiceProberProps) {
    super(scope, id);
    const { config, store, deadLetters } = props;
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'probe-services',
      description: 'Probes the health of services',
      // It waits, mostly.
      memoryMb: 512,
      timeoutS: 75,
      environment: { HMS_TABLE: store.table.tableName, ...targetsEnvironment(config) },
      statements: [
        ...storeAccess(store, {
          table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem'],
          families: {
            // Entries: whose it is, when somebody else may have written one.
            read: ['probes', 'services', 'serviceHealth', 'entries', 'heads'],
            write: ['serviceHealth', 'entries', 'heads'],
          },
        }),
        ...deadLetters.sending(),
      ],
    });
    everyMinute(this, this.function, deadLetters);
  }
}
