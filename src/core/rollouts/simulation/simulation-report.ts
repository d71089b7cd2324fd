/** Scenarios of one suite and cohort, by what the candidate makes of them. */
export interface FlipCount {
  readonly suite: string;
  readonly cohort: string;
  /** The decision under the rule in force, and under the candidate. */
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** The first few, by name. */
  readonly scenarios: readonly string[];
}

/** What a run keeps of its simulation: bounded; the whole report is an attachment of the policy. */
export interface SimulationSummary {
  readonly passed: boolean;
  /** All scenarios, and of them those whose recording could be replayed. */
  readonly scenarios: number;
  readonly replayed: number;
  /** Of those replayed, how many the candidate serves as expected. */
  readonly adapted: number;
  /** `adapted` of `replayed`, 0 to 1; null when none could be replayed. */
  readonly share: number | null;
  /** The decisions that would change, most frequent first, at most 50 rows. */
  readonly flips: readonly FlipCount[];
  /** Why it failed, and what could not be replayed; one line each, at most 20. */
  readonly findings: readonly string[];
  /** Where the whole report is, for people: `/api/policies/{id}/attachments/sha256:…`. */
  readonly report: string | null;
}
