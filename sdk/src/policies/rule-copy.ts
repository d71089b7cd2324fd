import type { CheckedRule, NamedRule } from './check-rule.ts';
import type { BoardEntry } from './rule-board.ts';

/** What an earlier process has left. */
export interface RestoredRules {
  /** Of the manifest; null when not all that it named was there. */
  readonly etag: string | null;
  /** When the service last confirmed them, in Unix ms. */
  readonly checkedAtMs: number;
  readonly entries: readonly BoardEntry[];
  readonly rules: readonly (readonly [NamedRule, CheckedRule])[];
}

/** What is run now. */
export interface RulesToKeep {
  readonly etag: string | null;
  readonly checkedAtMs: number;
  readonly entries: Iterable<BoardEntry>;
  readonly ruleOf: (named: NamedRule) => CheckedRule | undefined;
}

/** Where the rules of one client outlive its process. */
export interface RuleCopy {
  /** Null when there is none. Errors: it cannot be used. */
  readonly load: () => Promise<RestoredRules | null>;
  /** In the background, one write at a time; `now` is called when it is written. */
  readonly save: (now: () => RulesToKeep) => void;
  /** What was saved has been confirmed: in the background, and only once in a while. */
  readonly confirm: (checkedAtMs: number) => void;
  /** The last write failed: what was saved before may be gone, too. */
  readonly isBroken: boolean;
  /** Resolves when nothing is being written. */
  readonly settled: () => Promise<void>;
}

/** `onFailure`: a write failed; told once until one succeeds again. */
export type OpenCopy = (onFailure: (error: unknown) => void) => RuleCopy;
