import type { CanaryPlan } from '../../policies/canary-plan.ts';
import type { PlacedRule } from '../../policies/channel-record.ts';
import type { RunDeps, RunStep } from '../change-run.ts';
import { canaryLeaseMs } from '../../policies/canary.ts';
import { basedOn, canaryMoves } from '../lane-moves.ts';
import type { Situation } from '../read-situation.ts';
import type { Paced } from '../rollout-tasks.ts';
import type { CanaryProgress, RunPolicy } from '../run-record.ts';
import { withStages } from '../stages.ts';
import { audienceOf } from './audience-of.ts';
import { emptyTest } from './sequential-test.ts';
import type { CanaryEvidence } from './verdict.ts';

/**
 * Gives the candidates to their audience, and begins to observe: at first, or anew with the same
 * audience when the process, or the lease, was lost in between.
 */
export function beginWindow(
  deps: Pick<RunDeps, 'clock' | 'ids'>,
  now: Situation,
  plan: CanaryPlan,
  ruleOf: (policy: RunPolicy) => PlacedRule,
): RunStep<Paced<'observing'>> {
  const run = now.stored.value;
  const nowMs = deps.clock.nowMs();
  const at = new Date(nowMs).toISOString();
  const audience = audienceOf(plan, run.progress?.salt ?? deps.ids.next());
  const canaryOf = (policy: RunPolicy) => {
    const effectiveAtMs = policy.effectiveAt === null ? 0 : Date.parse(policy.effectiveAt);
    return {
      ...audience,
      run: run.run,
      rule: ruleOf(policy),
      leaseUntilMs: nowMs + canaryLeaseMs,
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
        detail: describe(plan),
      }),
    },
    result: { status: 'observing', waitSeconds: tickSeconds(plan) },
    lanes: changes,
    facts: { canary: { ...audience } },
  };
}

function describe({ percent, scope, observeSeconds }: CanaryPlan): string {
  return `${percent} % of subjects${scope === null ? '' : ` in ${scope}`}, for ${observeSeconds} s`;
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
