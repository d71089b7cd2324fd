const KiB = 1024;

/** What a suite may hold and what replaying it may cost; its expressions: `expressionLimits`. */
export const simulationLimits = {
  /** A registered suite as JSON. As YAML it has the limits of `packageLimits`. */
  maxSuiteBytes: 4 * KiB * KiB,
  maxSuiteDepth: 32,
  maxScenarios: 20_000,
  maxPolicies: 20,
  maxProtected: 50,
  /** Suites that a tenant registers. */
  maxSuites: 500,
  /** The registered suites of one run together, as JSON: they share one blob with the others. */
  maxRunBytes: 8 * KiB * KiB,
  /** `input` of a scenario, as JSON in UTF-8. */
  maxInputBytes: 8 * KiB,
  /** In UTF-8. */
  maxNameBytes: 100,
  maxCohortBytes: 40,
  /** A decision, as JSON in UTF-8, without its quotes. */
  maxDecisionBytes: 64,
  maxFindings: 20,
  /** Scenarios of a batch, and batches of a run. */
  maxBatchScenarios: 500,
  maxBatches: 200,
  /** Scenarios that a batch names, for each row and each list. */
  maxNamed: 20,
} as const;
