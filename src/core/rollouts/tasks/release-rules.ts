import type { Deps } from '../../deps.ts';
import { blackoutAt, holdSeconds } from '../../policies/blackout.ts';
import type { PlacedRule } from '../../policies/channel-record.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { endStep } from '../end-run.ts';
import { basedOn, hasCanary, releaseMoves } from '../lane-moves.ts';
import { noticeWrites } from '../notice-writes.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { Paced, RunRef } from '../rollout-tasks.ts';
import { withStages } from '../stages.ts';
import { heldStep } from '../held-step.ts';
import { keepLease } from '../keep-lease.ts';
import { lostStep } from '../lost-step.ts';
import { placeCandidates } from '../place-candidates.ts';
import { judgeHeld } from './observe-canary.ts';

type ReleaseDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;
type Released = Paced<'released' | 'held' | 'ended'>;

/** What one commit may write besides the journal. */
const maxWrites = 90;

/**
 * Puts the candidates in force for everyone: all of them in one commit, or none. From then on
 * other runs may come for the lanes.
 */
export async function releaseRules(deps: ReleaseDeps, ref: RunRef): Promise<Released> {
  const rules = await placeCandidates(deps, ref);
  const released = await changeRun(deps, serviceOrigin(deps, ref), ref, (now) =>
    decide(deps, now, rules),
  );
  if (released.status !== 'held') {
    const { value: run } = await requireRun(deps, ref);
    await makeWayForWaiters(deps, ref.tenant, run);
  }
  return released;
}

async function decide(
  deps: ReleaseDeps,
  now: Situation,
  rules: readonly PlacedRule[],
): Promise<RunStep<Released> | { readonly result: Released }> {
  const run = now.stored.value;
  const nowMs = deps.clock.nowMs();
  const at = new Date(nowMs).toISOString();
  const done = (status: Released['status']): Released => ({ status, waitSeconds: 1 });
  if (run.status === 'notifying' || run.status === 'succeeded') return { result: done('released') };
  if (run.status !== 'rolling-out') return { result: done('ended') };
  const lost = lostStep(deps, now);
  if (lost !== null) return { ...lost, result: done('ended') };
  const held = blackoutAt(now.settings.blackouts, nowMs);
  if (held !== null) {
    const result: Released = {
      status: 'held',
      waitSeconds: holdSeconds(now.settings.blackouts, nowMs),
    };
    const { failed, learned } = await judgeHeld(deps, now);
    if (failed !== null) return { ...failed, result: done('ended') };
    const step = heldStep(learned, 'rollout', held.reason, at, result);
    // Whoever is in the canary stays there until the window is over.
    if (step === null && hasCanary(now)) await keepLease(deps, now, learned);
    return step ?? { result };
  }
  const changes = releaseMoves(now, (policy) => ruleOf(run.policies.indexOf(policy), rules), nowMs);
  const waits = changes.flatMap(({ records, after }) => [
    ...(records.channel?.value.next ? [1] : []),
    ...(after.next === null ? [] : [1]),
  ]).length;
  if (3 * changes.length + waits + 5 > maxWrites) {
    const outcome = 'Too many of its policies have a rule that waits: release them in two runs.';
    return { ...endStep(deps, now, { status: 'failed', outcome }), result: done('ended') };
  }
  return {
    action: 'run.released',
    run: {
      ...run,
      status: 'notifying',
      policies: basedOn(run.policies, changes),
      releasedAtMs: nowMs,
      stages: withStages(run.stages, at, {
        name: 'rollout',
        status: 'passed',
        detail: 'in force for everyone',
      }),
    },
    result: done('released'),
    reason: run.reason,
    lanes: changes,
    writes: noticeWrites(deps, now, changes, 'released', run.partners),
    letsGo: true,
  };
}

function ruleOf(place: number, rules: readonly PlacedRule[]): PlacedRule {
  const rule = rules[place];
  if (rule === undefined) throw new Error('The body of a candidate was not read.');
  return rule;
}
