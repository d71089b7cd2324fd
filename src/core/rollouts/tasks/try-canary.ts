import type { Deps } from '../../deps.ts';
import { Conflict } from '../../errors/app-error.ts';
import { blackoutAt, holdSeconds } from '../../policies/blackout.ts';
import type { CanaryPlan } from '../../policies/canary-plan.ts';
import type { CanaryAudience } from '../../policies/canary.ts';
import type { PlacedRule } from '../../policies/channel-record.ts';
import { leaseWrites } from '../../policies/lane-writes.ts';
import { renewLease } from '../../policies/move-channel.ts';
import { placeSnapshot } from '../../policies/read-rule.ts';
import { canaryCounts } from '../../telemetry/canary-counts.ts';
import { judgeCanary } from '../canary/judge-canary.ts';
import { emptyTest, takeLook } from '../canary/sequential-test.ts';
import type { CanaryEvidence } from '../canary/verdict.ts';
import { changeRun, type RunDeps, type RunStep, serviceOrigin } from '../change-run.ts';
import { endStep } from '../end-run.ts';
import { directionOf, forwardToRollout } from '../forward.ts';
import { basedOn, canaryMoves, hasCanary, lostLane, restoreMoves } from '../lane-moves.ts';
import { makeWayForWaiters } from '../make-way.ts';
import { readSituation, type Situation } from '../read-situation.ts';
import type { Paced, RunRef } from '../rollout-tasks.ts';
import { runKey } from '../run-keys.ts';
import type { CanaryProgress, RunRecord } from '../run-record.ts';
import { withStages } from '../stages.ts';
import { newTicket, reviewMs } from './ask-people.ts';

type CanaryDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

/** ROLLOUTS.md, 6. */
export const leaseMs = 90_000;

type Started = Paced<'observing' | 'held' | 'ended'>;

/**
 * Gives the candidates to their audience. A run that had done so already, and whose process was
 * started anew, begins a fresh window with the same audience.
 */
export async function startCanary(deps: CanaryDeps, ref: RunRef): Promise<Started> {
  const rules = await placeCandidates(deps, ref);
  const started = await changeRun(deps, serviceOrigin(deps, ref), ref, (now) =>
    decideStart(deps, now, rules),
  );
  if (started.status === 'ended') await freed(deps, ref);
  return started;
}

async function decideStart(
  deps: CanaryDeps,
  now: Situation,
  rules: readonly PlacedRule[],
): Promise<RunStep<Started> | { readonly result: Started }> {
  const run = now.stored.value;
  const nowMs = deps.clock.nowMs();
  const at = new Date(nowMs).toISOString();
  if (run.status !== 'canary' || run.canary === null) {
    const over = directionOf(run) === 'ended';
    return { result: { status: over ? 'ended' : 'observing', waitSeconds: 1 } };
  }
  const lost = lostStep(deps, now);
  if (lost !== null) return { ...lost, result: { status: 'ended', waitSeconds: 1 } };
  const held = blackoutAt(now.settings.blackouts, nowMs);
  if (held !== null && run.progress === null) {
    const result: Started = {
      status: 'held',
      waitSeconds: holdSeconds(now.settings.blackouts, nowMs),
    };
    return heldStep(run, 'canary', held.reason, at, result) ?? { result };
  }
  const audience = audienceOf(run.canary, run.progress?.salt ?? deps.ids.next());
  const canaryOf = (policy: RunRecord['policies'][number]) => {
    const rule = rules[run.policies.indexOf(policy)];
    if (rule === undefined) throw new Error(`The body of ${policy.id} was not read.`);
    const effectiveAtMs = policy.effectiveAt === null ? 0 : Date.parse(policy.effectiveAt);
    return {
      ...audience,
      run: run.run,
      rule,
      leaseUntilMs: nowMs + leaseMs,
      enforcedFromMs: effectiveAtMs > nowMs ? effectiveAtMs : null,
    };
  };
  const changes = canaryMoves(now, canaryOf, nowMs);
  return {
    action: 'run.canary',
    run: {
      ...run,
      policies: basedOn(run.policies, changes),
      progress: freshProgress(audience.salt, nowMs),
      stages: withStages(run.stages, at, {
        name: 'canary',
        status: 'running',
        detail: describe(run.canary),
      }),
    },
    result: { status: 'observing', waitSeconds: tickSeconds(run.canary) },
    lanes: changes,
    facts: { canary: { ...audience } },
  };
}

function describe({ percent, scope, observeSeconds }: CanaryPlan): string {
  return `${percent} % of subjects${scope === null ? '' : ` in ${scope}`}, for ${observeSeconds} s`;
}

function audienceOf({ percent, scope }: CanaryPlan, salt: string): CanaryAudience {
  const region = scope === null ? null : scope.slice('region:'.length);
  return { weight: Math.max(1, Math.round(percent * 100)), salt, region };
}

function freshProgress(salt: string, nowMs: number): CanaryProgress {
  const evidence: CanaryEvidence = {
    canaryDecisions: 0,
    stableDecisions: 0,
    canaryAlerts: 0,
    stableAlerts: 0,
    newAlerts: [],
    acknowledged: 0,
    refused: 0,
    waitingAlerts: 0,
    test: emptyTest(),
  };
  const verdict = { kind: 'observing', method: 'time', detail: 'just begun' } as const;
  return { salt, startedAtMs: nowMs, extensions: 0, evidence, verdict };
}

/** 60 looks in the time of observation, one a second at most, and often enough for the lease. */
export function tickSeconds({ observeSeconds }: CanaryPlan): number {
  return Math.min(30, Math.max(1, Math.floor(observeSeconds / 60)));
}

type Observed = Paced<'observing' | 'review' | 'rollout' | 'ended'>;

/** Looks at the evidence, and judges: on with it, to everyone, to people, or back. */
export async function observeCanary(deps: CanaryDeps, ref: RunRef): Promise<Observed> {
  const observed = await changeRun(deps, serviceOrigin(deps, ref), ref, (now) =>
    decideObserve(deps, now),
  );
  if (observed.status === 'ended') await freed(deps, ref);
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

/**
 * Renews the leases and keeps what was seen. Not journaled: it changes no reader's rule.
 * Errors: `Conflict` when somebody else has just changed the run or a lane; look again.
 */
export async function keepLease(deps: CanaryDeps, now: Situation, run: RunRecord): Promise<void> {
  const { ref, stored, head } = now;
  const leaseUntilMs = deps.clock.nowMs() + leaseMs;
  const renewed = now.lanes.flatMap(({ policy, records }) => {
    const record = records.channel?.value;
    if (record?.canary?.run !== run.run) return [];
    return [{ id: policy.id, records, after: renewLease(record, record.canary, leaseUntilMs) }];
  });
  const place = { tenant: ref.tenant, channel: run.channel };
  const written = await deps.records.commit(
    [
      { kind: 'put', key: runKey(ref), value: run, expect: stored.rev },
      ...(head === undefined ? [] : leaseWrites(place, head, renewed)),
    ],
    deps.ids.next(),
  );
  if (written === 'conflict') throw new Conflict('The run has just changed. Look at it again.');
}

/** Ends the run when somebody else moved one of its lanes: all of them go back, or none moved. */
export function lostStep(deps: RunDeps, now: Situation): RunStep<'ended'> | null {
  const lost = lostLane(now);
  if (lost === undefined) return null;
  const { progress } = now.stored.value;
  const { id } = lost.policy;
  return progress === null
    ? endStep(deps, now, { status: 'superseded', outcome: `${id} was changed by somebody else.` })
    : endStep(deps, now, { status: 'aborted', outcome: `${id} was rolled back by somebody.` });
}

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

/** The candidates with their bodies, in the order of the run's policies. */
export async function placeCandidates(
  deps: Pick<Deps, 'records'>,
  ref: RunRef,
): Promise<PlacedRule[]> {
  const { stored } = await readSituation(deps, ref);
  return Promise.all(
    stored.value.policies.map((policy) => placeSnapshot(deps, ref.tenant, policy.id, policy)),
  );
}

async function freed(deps: CanaryDeps, ref: RunRef): Promise<void> {
  const { stored } = await readSituation(deps, ref);
  await makeWayForWaiters(deps, ref.tenant, stored.value);
}
