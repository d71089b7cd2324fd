import type { RunRecord } from './run-record.ts';
import { withStages } from './stages.ts';

/** The run as it goes on after its simulation: to people, to a few, or to everyone. */
export function forwardAfterSimulation(run: RunRecord, at: string): RunRecord {
  if (run.approvals > 0) {
    const stages = withStages(run.stages, at, { name: 'approve', status: 'running' });
    return { ...run, status: 'approving', stages };
  }
  return forwardToCanary(run, at);
}

/** The run as it goes on once people have said yes. */
export function forwardAfterApproval(
  run: RunRecord,
  kind: 'approval' | 'review',
  detail: string,
  at: string,
): RunRecord {
  if (kind === 'approval') {
    const stages = withStages(run.stages, at, { name: 'approve', status: 'passed', detail });
    return forwardToCanary({ ...run, stages }, at);
  }
  return forwardToRollout(run, 'passed', detail, at);
}

/** Without a canary, or where there is nothing to compare it with, straight to everyone. */
export function forwardToCanary(run: RunRecord, at: string): RunRecord {
  if (run.canary === null) return forwardToRollout(run, 'skipped', 'not asked for', at);
  const fresh = run.policies.find(({ base }) => base?.rule === null);
  if (fresh !== undefined) {
    const detail = `${fresh.id} has no rule in force: there is nothing to go back to`;
    return forwardToRollout(run, 'skipped', detail, at);
  }
  const stages = withStages(run.stages, at, { name: 'canary', status: 'running' });
  return { ...run, status: 'canary', stages };
}

export function forwardToRollout(
  run: RunRecord,
  canary: 'passed' | 'skipped',
  detail: string,
  at: string,
): RunRecord {
  const stages = withStages(
    run.stages,
    at,
    { name: 'canary', status: canary, detail },
    { name: 'rollout', status: 'running' },
  );
  return { ...run, status: 'rolling-out', stages };
}

/** Where the state machine goes on for a run that stands where it stands. */
export function directionOf({ status }: RunRecord): 'approve' | 'canary' | 'rollout' | 'ended' {
  if (status === 'approving') return 'approve';
  if (status === 'canary') return 'canary';
  return status === 'rolling-out' || status === 'notifying' ? 'rollout' : 'ended';
}
