import type { Deps } from '../deps.ts';
import { getRecord } from '../records.ts';
import { directionOf } from './forward.ts';
import type { RunRef } from './rollout-tasks.ts';
import { taskTokenKey } from './run-keys.ts';
import type { RunRecord } from './run-record.ts';

/**
 * Wakes the process that waits for people, if the run waits for them no longer. A failure is
 * logged: the reconciler tries again.
 */
export async function signalRun(
  deps: Pick<Deps, 'records' | 'workflows' | 'log'>,
  ref: RunRef,
  run: RunRecord,
): Promise<void> {
  const status = directionOf(run);
  if (status === 'approve') return;
  const found = await getRecord(deps, taskTokenKey(ref));
  if (found === undefined) return;
  await deps.workflows.signal(found.value.token, { status }).catch((error: unknown) => {
    deps.log.warn('process not woken yet', { ...ref, error });
  });
}
