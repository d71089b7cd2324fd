const KiB = 1024;

/**
 * What a suite may hold and what replaying it may cost. A step is one node evaluated, one element
 * visited, 32 characters copied: mostly below 0.1 µs, see `docs/simulation.md` for what was
 * measured.
 */
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
  /** An expression, in UTF-8. */
  maxExpressionBytes: 2 * KiB,
  /** Brackets of an expression within each other. */
  maxBrackets: 32,
  /** Nodes of an expression within each other. */
  maxDepth: 100,
  maxNodes: 1000,
  /** Macros (`all`, `exists`, `map`, …) within each other. */
  maxNestedMacros: 2,
  maxPatterns: 8,
  /** Instructions of a compiled regular expression. */
  maxPatternSize: 500,
  /** Work of one evaluation. */
  maxSteps: 100_000,
  /** A text that an expression makes. */
  maxMadeChars: 64 * KiB,
  /** A list that an expression makes. */
  maxMadeItems: 1000,
  /** Scenarios of a batch, and batches of a run. */
  maxBatchScenarios: 500,
  maxBatches: 200,
  /** Scenarios that a batch names, for each row and each list. */
  maxNamed: 20,
} as const;
