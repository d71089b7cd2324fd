import type { Deps } from '../../deps.ts';
import type { CanaryPlan } from '../../policies/canary-plan.ts';
import { canaryCounts } from '../../telemetry/canary-counts.ts';
import { beginWindow, tickSeconds } from '../canary/begin-window.ts';
import { judgeCanary } from '../canary/judge-canary.ts';
import { takeLook } from '../canary/sequential-test.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { endStep } from '../end-run.ts';
import { directionOf, forwardToRollout } from '../forward.ts';
import { isLapsed, keepLease } from '../keep-lease.ts';
import { basedOn, hasCanary, restoreMoves } from '../lane-moves.ts';
import { lostStep } from '../lost-step.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { requireRun, type Situation } from '../read-situation.ts';
import type { Paced, RunRef } from '../rollout-tasks.ts';
import type { CanaryProgress, RunRecord } from '../run-record.ts';
import { withStages } from '../stages.ts';
import { newTicket, reviewMs } from './ask-people.ts';

type CanaryDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;
type Observed = Paced<'observing' | 'review' | 'rollout' | 'ended'>;

/** Looks at the evidence, and judges: on with it, to everyone, to people, or back. */
export async function observeCanary(deps: CanaryDeps, ref: RunRef): Promise<Observed> {
  const observed = await changeRun(deps, serviceOrigin(deps, ref), ref, (now) =>
    decideObserve(deps, now),
  );
  if (observed.status === 'ended') {
    const { value: run } = await requireRun(deps, ref);
    await makeWayForWaiters(deps, ref.tenant, run);
  }
  return observed;
}

async function decideObserve(
  deps: CanaryDeps,
  now: Situation,
): Promise<RunStep<Observed> | { readonly result: Observed }> {
  const run = now.stored.value;
  const done = (status: Observed['status']): Observed => ({ status, waitSeconds: 1 });
  if (run.status === 'approving') return { result: done('review') };
  if (run.status !== 'canary' || run.canary === null || run.progress === null) {
    return { result: done(directionOf(run) === 'ended' ? 'ended' : 'rollout') };
  }
  const lost = lostStep(deps, now);
  if (lost !== null) return { ...lost, result: done('ended') };
  // For a time, nobody had the candidate: what was seen until then is no whole window.
  if (isLapsed(now, deps.clock.nowMs())) return startAnew(deps, now, run.canary);
  const progress = await look(deps, now, run.canary, run.progress);
  const { verdict } = progress;
  const learned = { ...run, progress };
  const at = new Date(deps.clock.nowMs()).toISOString();
  switch (verdict.kind) {
    case 'pass':
      return {
        action: 'run.judged',
        run: forwardToRollout(learned, 'passed', verdict.detail, at),
        result: done('rollout'),
      };
    case 'fail':
      return { ...(await failedStep(deps, now, learned, verdict.detail)), result: done('ended') };
    case 'inconclusive':
      return askedStep(deps, now, learned, verdict.detail, at, done('review'));
    case 'extend':
      return {
        action: 'run.extended',
        run: { ...learned, progress: { ...progress, extensions: progress.extensions + 1 } },
        result: { status: 'observing', waitSeconds: tickSeconds(run.canary) },
      };
    default:
      await keepLease(deps, now, learned);
      return { result: { status: 'observing', waitSeconds: tickSeconds(run.canary) } };
  }
}

/** With the candidates as the lanes have them. */
function startAnew(deps: CanaryDeps, now: Situation, plan: CanaryPlan): RunStep<Observed> {
  return beginWindow(deps, now, plan, ({ id }) => {
    const lane = now.lanes.find(({ policy }) => policy.id === id);
    const rule = lane?.records.channel?.value.canary?.rule;
    if (rule === undefined) throw new Error(`${id} has no candidate.`);
    return rule;
  });
}

async function look(
  deps: CanaryDeps,
  { ref, stored }: Situation,
  plan: CanaryPlan,
  progress: CanaryProgress,
): Promise<CanaryProgress> {
  const { run, channel, policies } = stored.value;
  const lanes = policies.map(({ id }) => ({ id, channel }));
  const { startedAtMs, extensions, evidence: last } = progress;
  const counts = await canaryCounts(deps, ref.tenant, lanes, run, startedAtMs);
  const test = takeLook(last.test, {
    canaryAlerts: counts.canaryAlerts - last.canaryAlerts,
    stableAlerts: counts.stableAlerts - last.stableAlerts,
    canaryDecisions: counts.canaryDecisions - last.canaryDecisions,
    stableDecisions: counts.stableDecisions - last.stableDecisions,
  });
  const evidence = { ...counts, test };
  const elapsedMs = deps.clock.nowMs() - startedAtMs;
  return { ...progress, evidence, verdict: judgeCanary(plan, evidence, { elapsedMs, extensions }) };
}

/**
 * Looks at a canary that has passed while something keeps it from everyone: it may still fail.
 * Else its verdict stays, and `learned` has what was seen.
 */
export async function judgeHeld(
  deps: CanaryDeps,
  now: Situation,
): Promise<{ readonly failed: RunStep<'ended'> | null; readonly learned: RunRecord }> {
  const run = now.stored.value;
  if (run.canary === null || run.progress === null || !hasCanary(now)) {
    return { failed: null, learned: run };
  }
  const progress = await look(deps, now, run.canary, run.progress);
  const { verdict } = progress;
  if (verdict.kind !== 'fail') {
    const { verdict: passed } = run.progress;
    return { failed: null, learned: { ...run, progress: { ...progress, verdict: passed } } };
  }
  const learned = { ...run, progress };
  return { failed: await failedStep(deps, now, learned, verdict.detail), learned };
}

/** The old rule is back, and people are told. */
async function failedStep(
  deps: CanaryDeps,
  now: Situation,
  learned: RunRecord,
  detail: string,
): Promise<RunStep<'ended'>> {
  const question = `The canary failed, and the old rule is back: ${detail}`;
  const asked = await newTicket(deps, now, 'review', question, reviewMs);
  return endStep(deps, now, {
    status: 'failed',
    outcome: `Canary failed: ${detail}`,
    learned: { progress: learned.progress },
    ticket: { ...asked, choices: ['close'] },
  });
}

/** The old rule is back meanwhile; people decide whether the new one comes all the same. */
async function askedStep(
  deps: CanaryDeps,
  now: Situation,
  learned: RunRecord,
  detail: string,
  at: string,
  result: Observed,
): Promise<RunStep<Observed>> {
  const changes = restoreMoves(now, deps.clock.nowMs());
  const policies = basedOn(learned.policies, changes);
  const stages = withStages(learned.stages, at, {
    name: 'canary',
    status: 'held',
    detail: `inconclusive, a review decides: ${detail}`,
  });
  const run: RunRecord = { ...learned, status: 'approving', policies, stages };
  const asks = { ...now, stored: { ...now.stored, value: run } };
  const question = `The canary told too little: ${detail} Roll out all the same?`;
  const ticket = await newTicket(deps, asks, 'review', question, reviewMs);
  return {
    action: 'run.judged',
    run: { ...run, ticket: ticket.id },
    result,
    lanes: changes,
    ticket,
  };
}
