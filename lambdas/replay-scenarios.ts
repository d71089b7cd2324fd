import { awsRuns } from '../src/compose/aws-runs.ts';
import { lazyAwsBlobs } from '../src/compose/lazy-aws-blobs.ts';
import { taskHandler } from '../src/compose/task-handler.ts';
import {
  judgeSimulation,
  planSimulation,
  replayScenarios,
} from '../src/core/rollouts/tasks/simulate-run.ts';

const deps = { ...awsRuns(), blobs: lazyAwsBlobs() };

export const handler = taskHandler({
  'plan-simulation': (input) => planSimulation(deps, input),
  'replay-scenarios': (input) => replayScenarios(deps, input),
  'judge-simulation': (input) => judgeSimulation(deps, input),
});
