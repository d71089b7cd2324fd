const KiB = 1024;

/**
 * What the governance rules of a policy may hold, and what asking them may cost. Measured on one
 * busy core with hostile expressions: reading a document takes at most 0.3 s, once for each
 * snapshot; a vet takes at most 40 ms, mostly below 0.1 ms.
 */
export const governanceLimits = {
  maxRules: 50,
  maxNameChars: 64,
  /** What a caller is shown, in UTF-8. */
  maxMessageBytes: 200,
  /** The expressions of all rules together, in UTF-8. */
  maxExpressionBytes: 16 * KiB,
  /** What the patterns of all rules together take in memory. */
  maxPatternBytes: 1024 * KiB,
  maxFindings: 20,
  /** Work of all rules of one vet together, see `expressionLimits`. */
  maxVetSteps: 200_000,
  /** Why an action is denied. */
  maxReasonChars: 500,
} as const;
