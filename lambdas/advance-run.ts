import { awsRuns } from '../src/compose/aws-runs.ts';
import { taskHandler } from '../src/compose/task-handler.ts';
import { requestApproval, requestReview } from '../src/core/rollouts/tasks/ask-people.ts';
import { releaseRules } from '../src/core/rollouts/tasks/release-rules.ts';
import { observeCanary } from '../src/core/rollouts/tasks/observe-canary.ts';
import { startCanary } from '../src/core/rollouts/tasks/start-canary.ts';

const deps = awsRuns();

export const handler = taskHandler({
  'request-approval': (input) => requestApproval(deps, input),
  'start-canary': (input) => startCanary(deps, input),
  'observe-canary': (input) => observeCanary(deps, input),
  'request-review': (input) => requestReview(deps, input),
  'release-rules': (input) => releaseRules(deps, input),
});
