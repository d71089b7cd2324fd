import type { Deps } from '../deps.ts';
import type { PlacedRule } from '../policies/channel-record.ts';
import { placeSnapshot } from '../policies/read-rule.ts';
import { requireRun } from './read-situation.ts';
import type { RunRef } from './rollout-tasks.ts';

/** The candidates with their bodies, in the order of the run's policies. */
export async function placeCandidates(
  deps: Pick<Deps, 'records'>,
  ref: RunRef,
): Promise<PlacedRule[]> {
  const { value: run } = await requireRun(deps, ref);
  return Promise.all(
    run.policies.map((policy) => placeSnapshot(deps, ref.tenant, policy.id, policy)),
  );
}
