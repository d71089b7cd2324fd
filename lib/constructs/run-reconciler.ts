import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import type { DeadLetters } from './dead-letters.ts';
import { everyMinute } from './every-minute.ts';
import { metricsNamespace, NodeFunction } from './node-function.ts';
import {
  acknowledgeAllSecrets,
  mailAccess,
  partnersEnvironment,
  secretAccess,
  secretsEnvironment,
} from './partner-access.ts';
import { changeRunNeeds } from './rollout-functions.ts';
import type { RolloutWorkerProps } from './rollout-functions.ts';
import { storeAccess } from './store-access.ts';
import { acknowledgeAllExecutions, rolloutMachineArn, workflowAccess } from './workflow-access.ts';

export interface RunReconcilerProps extends RolloutWorkerProps {
  readonly deadLetters: DeadLetters;
}

/** What `reconcileRuns` of src/core/rollouts/reconcile-runs.ts logs of each. */
const lostMessage = 'run lost its process';

/**
 * Every minute: looks after runs that nobody drives, and tells partners of what no run waits for.
 * Two at once do no harm, so that one with many slow partners may outlast its minute.
 */
export class RunReconciler extends Construct {
  readonly function: NodeFunction;
  /** How many runs it has closed since their process was gone. */
  readonly lostRuns: Metric;

  constructor(scope: Construct, id: string, props: RunReconcilerProps) {
    super(scope, id);
    const { config, store, deadLetters } = props;
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'reconcile-runs',
      description: 'Closes runs that nobody drives, and tells partners what is due',
      memoryMb: 1024,
      timeoutS: 290,
      environment: {
        HMS_TABLE: store.table.tableName,
        HMS_STATE_MACHINE: rolloutMachineArn(this, config),
        ...secretsEnvironment(config, store),
        ...partnersEnvironment(config),
      },
      statements: [
        ...storeAccess(store, { table: [...changeRunNeeds, 'Query'] }),
        ...workflowAccess(this, config, ['start', 'signal', 'status']),
        ...secretAccess(config, store, 'partner', 'read'),
        ...mailAccess(this, config),
        ...deadLetters.sending(),
      ],
    });
    acknowledgeAllExecutions(this.function, config);
    acknowledgeAllSecrets(this.function, config, 'partner');
    everyMinute(this, this.function, deadLetters);
    // Step Functions counts a run that was refused or aborted as failed as well.
    this.lostRuns = this.function.log
      .addMetricFilter('LostRuns', {
        filterPattern: FilterPattern.stringValue('$.msg', '=', lostMessage),
        metricNamespace: metricsNamespace(config),
        metricName: 'hms_runs_lost',
      })
      .metric();
  }
}
