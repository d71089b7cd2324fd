import type { Deps } from '../deps.ts';
import type { RolloutTasks } from './rollout-tasks.ts';
import { requestApproval, requestReview } from './tasks/ask-people.ts';
import { lintRun } from './tasks/lint-run.ts';
import { notifyPartners } from './tasks/notify-run.ts';
import { releaseRules } from './tasks/release-rules.ts';
import { judgeSimulation, planSimulation, replayScenarios } from './tasks/simulate-run.ts';
import { observeCanary } from './tasks/observe-canary.ts';
import { startCanary } from './tasks/start-canary.ts';

type TaskDeps = Pick<
  Deps,
  'records' | 'blobs' | 'clock' | 'ids' | 'log' | 'signal' | 'workflows' | 'secrets' | 'partners'
>;

/** Every task of the state machine, for an engine that runs them all. */
export function makeTasks(deps: TaskDeps): RolloutTasks {
  return {
    lint: (input) => lintRun(deps, input),
    'plan-simulation': (input) => planSimulation(deps, input),
    'replay-scenarios': (input) => replayScenarios(deps, input),
    'judge-simulation': (input) => judgeSimulation(deps, input),
    'request-approval': (input) => requestApproval(deps, input),
    'start-canary': (input) => startCanary(deps, input),
    'observe-canary': (input) => observeCanary(deps, input),
    'request-review': (input) => requestReview(deps, input),
    'release-rules': (input) => releaseRules(deps, input),
    'notify-partners': (input) => notifyPartners(deps, input),
  };
}
