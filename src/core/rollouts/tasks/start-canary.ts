import type { Deps } from '../../deps.ts';
import { blackoutAt, holdSeconds } from '../../policies/blackout.ts';
import type { PlacedRule } from '../../policies/channel-record.ts';
import { beginWindow } from '../canary/begin-window.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { directionOf } from '../forward.ts';
import { heldStep } from '../held-step.ts';
import { lostStep } from '../lost-step.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { placeCandidates } from '../place-candidates.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { Paced, RunRef } from '../rollout-tasks.ts';

type CanaryDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;
type Started = Paced<'observing' | 'held' | 'ended'>;

/**
 * Gives the candidates to their audience. A run that had done so already, and whose process was
 * started anew, begins a fresh window with the same audience.
 */
export async function startCanary(deps: CanaryDeps, ref: RunRef): Promise<Started> {
  const rules = await placeCandidates(deps, ref);
  const started = await changeRun(deps, serviceOrigin(deps, ref), ref, async (now) =>
    decide(deps, now, rules),
  );
  if (started.status === 'ended') {
    const { value: run } = await requireRun(deps, ref);
    await makeWayForWaiters(deps, ref.tenant, run);
  }
  return started;
}

function decide(
  deps: CanaryDeps,
  now: Situation,
  rules: readonly PlacedRule[],
): RunStep<Started> | { readonly result: Started } {
  const run = now.stored.value;
  const nowMs = deps.clock.nowMs();
  if (run.status !== 'canary' || run.canary === null) {
    const over = directionOf(run) === 'ended';
    return { result: { status: over ? 'ended' : 'observing', waitSeconds: 1 } };
  }
  const lost = lostStep(deps, now);
  if (lost !== null) return { ...lost, result: { status: 'ended', waitSeconds: 1 } };
  const { blackouts } = now.settings;
  const held = blackoutAt(blackouts, nowMs);
  if (held !== null && run.progress === null) {
    const result: Started = { status: 'held', waitSeconds: holdSeconds(blackouts, nowMs) };
    const at = new Date(nowMs).toISOString();
    return heldStep(run, 'canary', held.reason, at, result) ?? { result };
  }
  return beginWindow(deps, now, run.canary, (policy) => {
    const rule = rules[run.policies.indexOf(policy)];
    if (rule === undefined) throw new Error(`The body of ${policy.id} was not read.`);
    return rule;
  });
}
