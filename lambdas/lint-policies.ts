import { awsRuns } from '../src/compose/aws-runs.ts';
import { lazyAwsBlobs } from '../src/compose/lazy-aws-blobs.ts';
import { taskHandler } from '../src/compose/task-handler.ts';
import { lintRun } from '../src/core/rollouts/tasks/lint-run.ts';

const deps = { ...awsRuns(), blobs: lazyAwsBlobs() };

export const handler = taskHandler({ lint: (input) => lintRun(deps, input) });
