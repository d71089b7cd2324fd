/** One thing that lint says of a candidate. An error rejects the run, a warning is only shown. */
export interface LintFinding {
  readonly policy: string;
  readonly severity: 'error' | 'warning';
  /** Stable: `schema`, `kind`, `governance`, `version-order`, `version-major`, `version-minor`. */
  readonly rule: string;
  /** RFC 6901, into the rule; of a field that is missing: where it should be. */
  readonly pointer: string;
  /**
   * In `policy.yaml`, from 1, columns in UTF-16 units: of the value, of the alias that it comes
   * from, or, when it is missing, of the nearest value around it. Null when the finding is about
   * another file.
   */
  readonly line: number | null;
  readonly column: number | null;
  /** What is wrong and what to do, one line. */
  readonly detail: string;
}

/** What a run keeps of its lint stage: at most 50 findings, errors first. */
export interface LintSummary {
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly LintFinding[];
}
