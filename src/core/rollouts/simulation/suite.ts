import type { Json } from '../../values/json.ts';

/** One recorded decision: what a service saw then, and what it decided. */
export interface Scenario {
  /** Unique in its suite. */
  readonly name: string;
  readonly cohort: string;
  readonly input: Json;
  /** Compared as canonical text, see `decisionText`. */
  readonly recorded: Decidable;
  /** What the candidate should decide; null: the suite's `expect` tells. */
  readonly expected: Decidable | null;
}

/** What a decision may be. */
export type Decidable = string | number | boolean;

/** What a suite demands of its results: all that is needed to judge them. */
export interface SuiteGate {
  /** Unique in a run: `<suite>` when registered, `<policy>/<suite>` out of a package. */
  readonly name: string;
  /** The least share of the replayable scenarios that must adapt, 0 to 1. */
  readonly threshold: number;
  /** Cohorts in which no decision may flip. */
  readonly protected: readonly string[];
  /** How many scenarios it has. */
  readonly size: number;
}

/** Scenarios, and how they are decided and judged. Checked: its expressions compile. */
export interface Suite extends SuiteGate {
  /** The policies that it is for; `policy` in its expressions is the first that changes. */
  readonly policies: readonly string[];
  /** CEL over `policy`, `policies` and `input`. */
  readonly decision: string;
  /** CEL over these and `before`, `after`, `recorded`. */
  readonly expect: string | null;
  readonly scenarios: readonly Scenario[];
}

export const decisionVariables = ['policy', 'policies', 'input'] as const;
export const expectVariables = [...decisionVariables, 'before', 'after', 'recorded'] as const;

const suiteName = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Of a registered suite, and of one within its package. */
export function isSuiteName(text: string): boolean {
  return suiteName.test(text);
}
