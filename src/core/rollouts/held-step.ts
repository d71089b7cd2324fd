import type { RunStep } from './change-run.ts';
import type { RunRecord } from './run-record.ts';
import { withStages } from './stages.ts';

/** Notes once that a blackout keeps a stage; null when that is known. */
export function heldStep<T>(
  run: RunRecord,
  name: 'canary' | 'rollout',
  reason: string,
  at: string,
  result: T,
): RunStep<T> | null {
  const detail = `held by a blackout window: ${reason}`;
  const stage = run.stages.find((each) => each.name === name);
  if (stage?.status === 'held' && stage.detail === detail) return null;
  const stages = withStages(run.stages, at, { name, status: 'held', detail });
  return { action: 'run.held', run: { ...run, stages }, result, reason };
}
