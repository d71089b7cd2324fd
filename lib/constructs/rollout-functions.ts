import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { NodeFunction } from './node-function.ts';
import type { NodeFunctionProps } from './node-function.ts';
import {
  acknowledgeAllSecrets,
  mailAccess,
  partnersEnvironment,
  secretAccess,
  secretsEnvironment,
} from './partner-access.ts';
import type { RolloutFunctions } from './rollout-machine.ts';
import { acknowledgeAllBlobs, storeAccess } from './store-access.ts';
import type { Store, StoreNeeds } from './store-access.ts';
import { rolloutMachineArn, workflowAccess } from './workflow-access.ts';
import type { WorkflowNeed } from './workflow-access.ts';

export interface RolloutWorkerProps {
  readonly config: StageConfig;
  readonly store: Store;
}

/** What a change of a run reads and writes: its record, its lanes, its ticket, the journal. */
export const changeRunNeeds = ['GetItem', 'BatchGetItem', 'PutItem', 'DeleteItem'] as const;

/**
 * The tasks of the state machine. Each ends before the state gives it up that lets it run longest:
 * 300 seconds for a batch of a replay and for a round of notices, 60 for the rest.
 */
export function rolloutFunctions(scope: Construct, props: RolloutWorkerProps): RolloutFunctions {
  return {
    LintPolicies: task(scope, 'LintPolicies', props, {
      handler: 'lint-policies',
      description: 'Task of a rollout: packages against their schemas',
      memoryMb: 1769,
      timeoutS: 55,
      needs: { table: changeRunNeeds, blobs: ['GetObject'] },
      workflows: ['start'],
    }),
    ReplayScenarios: task(scope, 'ReplayScenarios', props, {
      handler: 'replay-scenarios',
      description: 'Task of a rollout: recorded scenarios under both rules',
      // Expressions are all processor time.
      memoryMb: 1769,
      timeoutS: 290,
      needs: { table: [...changeRunNeeds, 'Query'], blobs: ['GetObject', 'PutObject'] },
      workflows: ['start'],
    }),
    AdvanceRun: task(scope, 'AdvanceRun', props, {
      handler: 'advance-run',
      description: 'Task of a rollout: approval, canary, review, release',
      memoryMb: 1024,
      timeoutS: 55,
      needs: { table: [...changeRunNeeds, 'Query'] },
      workflows: ['start', 'signal'],
    }),
    NotifyPartners: notifyPartners(scope, props),
  };
}

interface TaskSpec extends Pick<
  NodeFunctionProps,
  'handler' | 'description' | 'memoryMb' | 'timeoutS'
> {
  readonly needs: StoreNeeds;
  readonly workflows: readonly WorkflowNeed[];
}

function task(
  scope: Construct,
  id: string,
  { config, store }: RolloutWorkerProps,
  { needs, workflows, ...spec }: TaskSpec,
): NodeFunction {
  const made = new NodeFunction(scope, id, {
    ...spec,
    config,
    environment: {
      HMS_TABLE: store.table.tableName,
      ...(needs.blobs === undefined ? {} : { HMS_BUCKET: store.bucket.bucketName }),
      HMS_STATE_MACHINE: rolloutMachineArn(scope, config),
    },
    statements: [...storeAccess(store, needs), ...workflowAccess(scope, config, workflows)],
  });
  if (needs.blobs !== undefined) acknowledgeAllBlobs(made, store);
  return made;
}

function notifyPartners(scope: Construct, { config, store }: RolloutWorkerProps): NodeFunction {
  const made = new NodeFunction(scope, 'NotifyPartners', {
    config,
    handler: 'notify-partners',
    description: 'Task of a rollout: tells partners',
    memoryMb: 1024,
    timeoutS: 290,
    environment: {
      HMS_TABLE: store.table.tableName,
      ...secretsEnvironment(config, store),
      ...partnersEnvironment(config),
    },
    statements: [
      ...storeAccess(store, { table: [...changeRunNeeds, 'Query'] }),
      ...secretAccess(config, store, 'partner', 'read'),
      ...mailAccess(scope, config),
    ],
  });
  acknowledgeAllSecrets(made, config, 'partner');
  return made;
}
