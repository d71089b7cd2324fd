import type { CanaryPlan } from '../../policies/canary-plan.ts';
import type { TestState } from './sequential-test.ts';

/** What has been seen of a canary since it began, over all policies of its run. */
export interface CanaryEvidence {
  /** Decisions that services reported under the candidate, and under the rule that it replaces. */
  readonly canaryDecisions: number;
  readonly stableDecisions: number;
  /** Alerts, every one counted, during those decisions. */
  readonly canaryAlerts: number;
  readonly stableAlerts: number;
  /** Alerts of both arms from services that have not told their decisions since. */
  readonly waitingAlerts: number;
  /**
   * Distinct fingerprints from the canary that the stable arm has not shown since 24 h before it
   * began. At most 100, so that no higher limit can be met.
   */
  readonly newAlerts: readonly string[];
  /** Services that acknowledged the candidate, and those that refused it. */
  readonly acknowledged: number;
  readonly refused: number;
  readonly test: TestState;
}

/** `method` is `alerts`, `sequential-test`, `refusals`, `time`, `quorum` or `silence`. */
export interface Verdict {
  readonly kind: 'observing' | 'extend' | 'pass' | 'fail' | 'inconclusive';
  readonly method: 'alerts' | 'sequential-test' | 'refusals' | 'time' | 'quorum' | 'silence';
  /** One line for people, with the numbers it rests on. */
  readonly detail: string;
}

export type JudgeCanary = (
  plan: CanaryPlan,
  evidence: CanaryEvidence,
  window: { readonly elapsedMs: number; readonly extensions: number },
) => Verdict;
