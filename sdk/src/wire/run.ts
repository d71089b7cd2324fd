export type Channel = 'dev' | 'test' | 'prod';

export type RunStatus =
  | 'queued'
  | 'linting'
  | 'simulating'
  | 'approving'
  | 'canary'
  | 'rolling-out'
  | 'notifying'
  | 'succeeded'
  | 'rejected'
  | 'failed'
  | 'aborted'
  | 'superseded'
  | 'expired';

export type StageName = 'lint' | 'simulate' | 'approve' | 'canary' | 'rollout' | 'notify';

export type StageStatus = 'pending' | 'running' | 'held' | 'passed' | 'failed' | 'skipped';

/** How a candidate is to be tried; what is left out is as the service has it. */
export interface CanaryOptions {
  /** Share of the subjects: 5, or, with a scope, 100 unless given. */
  readonly percent?: number | undefined;
  /** Only subjects of this region, such as `region:NCR`. */
  readonly scope?: string | null | undefined;
  /** 300 unless given. */
  readonly observeSeconds?: number | undefined;
  /** So many fail it at once: 2 unless given. */
  readonly maxNewAlerts?: number | undefined;
  /** Fewer under the candidate are no verdict: 20 unless given. */
  readonly minDecisions?: number | undefined;
  /** No telemetry at all passes, too. */
  readonly allowSilent?: boolean | undefined;
  /** So many services must acknowledge it, instead of the time. */
  readonly quorum?: number | null | undefined;
}

/** What a run is asked for. */
export interface NewRun {
  /** Up to 20; they switch together, or not at all. */
  readonly policies: readonly {
    readonly id: string;
    /** A snapshot id or a unique prefix of one, `sha256:<hex>`, or a version. */
    readonly snapshot: string;
  }[];
  /** `prod` unless given. */
  readonly channel?: Channel | undefined;
  /** The options, a share such as 0.05, or false for none; as the channel has it unless given. */
  readonly canary?: CanaryOptions | number | false | null | undefined;
  /** Names of those who are told when everyone has the rule. */
  readonly partners?: readonly string[] | undefined;
  /** How many people must approve it, at the least. */
  readonly approval?: boolean | number | undefined;
  /** Ends a run that is in the way; needs a reason. */
  readonly hotfix?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface CreatedRun {
  readonly run: number;
  readonly status: 'queued';
  /** The run that it waits for. */
  readonly waitsFor: number | null;
}

export interface RunStage {
  readonly name: StageName;
  readonly status: StageStatus;
  /** One line for people. */
  readonly detail: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** What `GET /api/runs/{run}` answers. */
export interface RunPage {
  readonly run: number;
  readonly status: RunStatus;
  readonly channel: Channel;
  readonly policies: readonly {
    readonly id: string;
    readonly snapshot: string;
    readonly version: string;
    readonly digest: string;
    readonly effective: string | null;
    readonly replaces: { readonly snapshot: string; readonly version: string } | null;
  }[];
  readonly stages: readonly RunStage[];
  readonly canary: {
    readonly percent: number;
    readonly scope: string | null;
    readonly observeSeconds: number;
    readonly maxNewAlerts: number;
    readonly minDecisions: number;
    readonly allowSilent: boolean;
    readonly quorum: number | null;
  } | null;
  readonly partners: readonly string[];
  readonly approvals: number;
  readonly hotfix: boolean;
  readonly reason: string | null;
  readonly author: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
  /** Why it ended as it did; null while it is open. */
  readonly outcome: string | null;
  readonly waitsFor: number | null;
  /** What it asks of people, or has asked last. */
  readonly ticket: string | null;
  readonly bucketing: { readonly salt: string; readonly weight: number } | null;
  readonly lint: RunLint | null;
  readonly simulation: RunSimulation | null;
  readonly verdict: RunVerdict | null;
}

interface RunLint {
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly {
    readonly policy: string;
    readonly severity: 'error' | 'warning';
    readonly rule: string;
    readonly pointer: string;
    readonly line: number | null;
    readonly column: number | null;
    readonly detail: string;
  }[];
}

interface RunSimulation {
  readonly passed: boolean;
  readonly scenarios: number;
  readonly replayed: number;
  readonly adapted: number;
  /** `adapted` of `replayed`, 0 to 1. */
  readonly share: number | null;
  readonly flips: readonly {
    readonly suite: string;
    readonly cohort: string;
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly scenarios: readonly string[];
  }[];
  readonly findings: readonly string[];
  readonly report: string | null;
}

interface RunVerdict {
  readonly kind: 'observing' | 'extend' | 'pass' | 'fail' | 'inconclusive';
  readonly method: 'alerts' | 'sequential-test' | 'refusals' | 'time' | 'quorum' | 'silence';
  readonly detail: string;
  readonly eValue: number;
  readonly observedSince: string;
  readonly extensions: number;
  readonly evidence: {
    readonly canaryDecisions: number;
    readonly stableDecisions: number;
    readonly canaryAlerts: number;
    readonly stableAlerts: number;
    readonly waitingAlerts: number;
    readonly newAlerts: readonly string[];
    readonly acknowledged: number;
    readonly refused: number;
  };
}

interface RunEntry {
  readonly tenant: string;
  readonly run: number;
  readonly actor: string;
  readonly reason: string | null;
  /** The journal entry. */
  readonly index: number;
  readonly at: string;
}

export interface RunStep extends RunEntry {
  readonly action:
    | 'run.queued'
    | 'run.started'
    | 'run.linted'
    | 'run.simulated'
    | 'run.asked'
    | 'run.approved'
    | 'run.held'
    | 'run.canary'
    | 'run.extended'
    | 'run.judged'
    | 'run.released'
    | 'run.notifying'
    | 'run.ended';
  readonly status: RunStatus;
  readonly channel: Channel;
  readonly policies: readonly { readonly id: string; readonly snapshot: string }[];
  readonly outcome?: string | null | undefined;
  /** As they stand after the step. */
  readonly stages?: readonly Pick<RunStage, 'name' | 'status' | 'detail'>[] | undefined;
  readonly waitsFor?: number | null | undefined;
  readonly canary?:
    | { readonly salt: string; readonly weight: number; readonly region: string | null }
    | undefined;
  /** What is asked of people. */
  readonly ticket?: { readonly id: string; readonly status: string } | undefined;
}

/** How it ended with one partner. */
export interface RunDelivery extends RunEntry {
  readonly action:
    | 'delivery.delivered'
    | 'delivery.acked'
    | 'delivery.exhausted'
    | 'delivery.collapsed'
    | 'delivery.gone'
    | 'delivery.redelivered';
  readonly id: string;
  readonly partner: string;
  readonly kind: 'released' | 'restored';
  readonly status:
    | 'pending'
    | 'retrying'
    | 'delivered'
    | 'acked'
    | 'exhausted'
    | 'collapsed'
    | 'gone';
}

/** A message of the stream of a run. */
export type RunChange = RunStep | RunDelivery;
