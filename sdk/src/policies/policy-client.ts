import type { SignalOptions } from '../api/call-options.ts';
import type { ChangeListener, EventListener } from './client-events.ts';

export interface GetOptions<T> extends SignalOptions {
  /** Taken when there is no rule, or only one that is too old. */
  readonly fallback?: T;
}

/** How a policy stands in this process. */
export interface PolicyDescription {
  readonly id: string;
  /** What is in force; null while the first rule waits for its time. */
  readonly snapshot: string | null;
  readonly version: string | null;
  readonly gen: number;
  /** The run whose candidate this is, when it is one that only a few have. */
  readonly canaryRun?: number | undefined;
  /** It has not been confirmed by the service for a while. */
  readonly stale: boolean;
  readonly checkedAt: Date | null;
  /** What takes effect by itself. */
  readonly next: {
    readonly snapshot: string;
    readonly version: string;
    readonly effectiveAt: Date;
    /** It is here, and does not need the service any more. */
    readonly isAtHand: boolean;
  } | null;
  /** What the service names, and this process does not run. */
  readonly refused: {
    readonly snapshot: string;
    readonly version: string;
    readonly reason: string;
  } | null;
}

export interface ClientStatus {
  readonly ready: boolean;
  readonly closed: boolean;
  readonly stale: boolean;
  /** When the service last confirmed what is run, also to an earlier process. */
  readonly checkedAt: Date | null;
  /** Of how many policies there is a rule. */
  readonly policies: number;
  /** Whether all that the service names is here. */
  readonly complete: boolean;
  readonly push: 'off' | 'up' | 'down';
  /** Why the last poll failed; undefined when it did not. */
  readonly error: unknown;
  /** What was told of the rules that are run; null when it is not. */
  readonly receipts: {
    readonly waiting: number;
    readonly sent: number;
    readonly dropped: number;
  } | null;
}

/**
 * The rules in force, in this process. Rules are frozen: a rule that was given never changes, and the
 * next call gives the next one.
 */
export interface PolicyClient extends AsyncDisposable {
  /**
   * Resolves when the rules are here: from the service, or, when it does not answer, from the copy of
   * an earlier process. Tries for ever.
   * Errors: the reason of the signal; `HmsError` when the client is closed before.
   */
  readonly ready: (options?: SignalOptions) => Promise<void>;
  /**
   * The rule in force; waits for the first ones.
   * Errors: `NotReadyError` after `readyTimeoutMs`; `UnknownPolicyError`; `StaleError`. None of them
   * when there is a fallback.
   */
  readonly get: <T = unknown>(id: string, options?: GetOptions<T>) => Promise<T>;
  /** The same, at once: for hot paths, after `ready`. Errors: as of `get`. */
  readonly getSync: <T = unknown>(id: string, fallback?: T) => T;
  /** Undefined when the policy is not known. */
  readonly describe: (id: string) => PolicyDescription | undefined;
  /** Counts decisions that were made by the rule in force: the evidence of a canary. */
  readonly decided: (id: string, count?: number) => void;
  /**
   * Hears of each rule that is replaced once the client is ready, after it is in force. Answers how to
   * stop that.
   */
  readonly onChange: (listener: ChangeListener) => () => void;
  /** Hears of all that the client does. Answers how to stop that. */
  readonly onEvent: (listener: EventListener) => () => void;
  readonly status: () => ClientStatus;
  /**
   * Lets go of everything, within some seconds: the last receipts are sent. `getSync` goes on giving
   * the rules that are here. Never rejects.
   */
  readonly close: () => Promise<void>;
}
