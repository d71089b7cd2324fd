/** What every task is told: whose run. */
export interface RunRef {
  readonly tenant: string;
  readonly run: number;
}

/** `ended`: the run is over, its record tells how. The state machine stops there. */
type Ended = 'ended';
type Forward = 'approve' | 'canary' | 'rollout';

/** What a task that may have to come back answers. */
export interface Paced<Status extends string> {
  readonly status: Status;
  /** How long to wait before the task is run again: at least 1. */
  readonly waitSeconds: number;
}

/**
 * The steps of `statemachines/rollout.asl.json`, by the `task` of their input. Each is safe to
 * repeat and to start anew: it reads the run's record, does what is left to do, and answers what
 * stands there. A task that waits puts its token away and answers nothing of its own: whoever
 * decides signals the token with the same kind of result.
 * Errors: `Unavailable`, `Conflict`: the state machine tries again.
 */
export interface RolloutTasks {
  lint: (input: RunRef) => Promise<{ readonly status: 'passed' | Ended }>;
  'plan-simulation': (
    input: RunRef,
  ) => Promise<{ readonly status: 'planned' | Ended; readonly batches: readonly number[] }>;
  'replay-scenarios': (
    input: RunRef & { readonly batch: number },
  ) => Promise<{ readonly status: 'replayed' }>;
  'judge-simulation': (input: RunRef) => Promise<{ readonly status: Forward | Ended }>;
  /** Waits; its token is signalled with `{ status: 'canary' | 'rollout' | 'ended' }`. */
  'request-approval': (input: RunRef & { readonly token: string }) => Promise<void>;
  'start-canary': (input: RunRef) => Promise<Paced<'observing' | 'held' | Ended>>;
  'observe-canary': (input: RunRef) => Promise<Paced<'observing' | 'review' | 'rollout' | Ended>>;
  /** Waits; its token is signalled with `{ status: 'rollout' | 'ended' }`. */
  'request-review': (input: RunRef & { readonly token: string }) => Promise<void>;
  'release-rules': (input: RunRef) => Promise<Paced<'released' | 'held' | Ended>>;
  'notify-partners': (input: RunRef) => Promise<Paced<'waiting' | 'notified' | Ended>>;
}

export type RolloutTask = keyof RolloutTasks;
