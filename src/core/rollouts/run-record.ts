import type { CanaryPlan } from '../policies/canary-plan.ts';
import type { Channel } from '../policies/channel.ts';
import type { SnapshotRef } from '../policies/channel-record.ts';
import type { CanaryEvidence, Verdict } from './canary/verdict.ts';
import type { LintSummary } from './lint/lint-finding.ts';
import type { SimulationSummary } from './simulation/simulation-report.ts';

/** The stages as people see them, in the order in which a run goes through them. */
export const stageNames = ['lint', 'simulate', 'approve', 'canary', 'rollout', 'notify'] as const;

export type StageName = (typeof stageNames)[number];

export interface Stage {
  readonly name: StageName;
  /** `held`: a blackout window keeps it, `detail` says which. */
  readonly status: 'pending' | 'running' | 'held' | 'passed' | 'failed' | 'skipped';
  /** One line for people. */
  readonly detail: string | null;
  /** RFC 3339. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

export const openStatuses = [
  'queued',
  'linting',
  'simulating',
  'approving',
  'canary',
  'rolling-out',
  'notifying',
] as const;

/** `failed`: the old rule was restored, or nothing had been changed. */
export const endStatuses = [
  'succeeded',
  'rejected',
  'failed',
  'aborted',
  'superseded',
  'expired',
] as const;

export type OpenStatus = (typeof openStatuses)[number];
export type EndStatus = (typeof endStatuses)[number];
export type RunStatus = OpenStatus | EndStatus;

/** One policy of a run. */
export interface RunPolicy extends SnapshotRef {
  readonly id: string;
  /** RFC 3339, when the rule names a time. */
  readonly effectiveAt: string | null;
  /**
   * The lane as the run expects it, or else it is void: as it was when the run began, later as the
   * run itself has left it. Null until the run begins; `rule` null when there was none in force.
   */
  readonly base: { readonly gen: number; readonly rule: SnapshotRef | null } | null;
}

/** How a canary stands, as of the last look. */
export interface CanaryProgress {
  /** Fixed for the run, see `CanaryAudience`. */
  readonly salt: string;
  readonly startedAtMs: number;
  /** How often the observation time has been extended. */
  readonly extensions: number;
  readonly evidence: CanaryEvidence;
  readonly verdict: Verdict;
}

/** One rollout of one or more policies to a channel: all that is known of it but its deliveries. */
export interface RunRecord {
  /** 1, 2, 3 … per tenant. */
  readonly run: number;
  readonly channel: Channel;
  readonly status: RunStatus;
  readonly policies: readonly RunPolicy[];
  readonly stages: readonly Stage[];
  /** Null: straight to everyone. */
  readonly canary: CanaryPlan | null;
  readonly partners: readonly string[];
  /** How many people must approve before anything changes; 0 for none. */
  readonly approvals: number;
  readonly hotfix: boolean;
  readonly reason: string | null;
  readonly author: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
  /** Why the run ended as it did, one line for people; null while it is open. */
  readonly outcome: string | null;
  /** The run that it waits for, since that one holds a lane; null otherwise. */
  readonly waitsFor: number | null;
  /** The journal entry that made it: the run's events begin there. */
  readonly firstIndex: number;
  readonly lint: LintSummary | null;
  readonly simulation: SimulationSummary | null;
  readonly progress: CanaryProgress | null;
  /** Unix ms of when the rules reached everyone; null before, and when they were taken back. */
  readonly releasedAtMs: number | null;
  /** The ticket that it waits for, or that its failure opened. */
  readonly ticket: string | null;
}

export function isOpen(status: RunStatus): status is OpenStatus {
  return (openStatuses as readonly string[]).includes(status);
}
