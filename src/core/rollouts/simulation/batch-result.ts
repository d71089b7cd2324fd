import type { Batch } from './plan-batches.ts';

/** Scenarios of one cohort whose decision changes alike. */
export interface Flips {
  readonly cohort: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** The first 20, by name. */
  readonly scenarios: readonly string[];
}

/** A scenario, and why it is listed. */
export interface NamedScenario {
  readonly scenario: string;
  readonly why: string;
}

/** How many there are, and the first 20 of them. */
export interface NamedScenarios {
  readonly count: number;
  readonly named: readonly NamedScenario[];
}

/** What replaying a batch showed: below 200 KiB as JSON. */
export interface BatchResult extends Batch {
  /** Those whose recording the rule in force repeats. */
  readonly replayed: number;
  /** Of those replayed, the ones that the candidate serves as expected. */
  readonly adapted: number;
  /** Every decision that the candidate changes, in the order of their first scenario. */
  readonly flips: readonly Flips[];
  /** Those of `flips` in protected cohorts. */
  readonly protectedFlips: NamedScenarios;
  readonly unreplayable: NamedScenarios;
  /** Of those replayed. */
  readonly unadapted: NamedScenarios;
}
