const KiB = 1024;

/**
 * What an expression may hold and what evaluating it may cost: its text comes from outside, and so
 * does what it looks at. A step is one node evaluated, one element visited, 32 characters copied:
 * mostly below 0.1 µs, see `docs/simulation.md` for what was measured.
 */
export const expressionLimits = {
  /** In UTF-8. */
  maxExpressionBytes: 2 * KiB,
  /** Brackets within each other. */
  maxBrackets: 32,
  /** Nodes within each other. */
  maxDepth: 100,
  maxNodes: 1000,
  /** Macros (`all`, `exists`, `map`, …) within each other. */
  maxNestedMacros: 2,
  maxPatterns: 8,
  /** Instructions of a compiled regular expression. */
  maxPatternSize: 500,
  /** Unicode classes (`\p{…}`) of a pattern. */
  maxUnicodeClasses: 8,
  /** Work of one evaluation, unless it is given a budget. */
  maxSteps: 100_000,
  /** A text that an expression makes. */
  maxMadeChars: 64 * KiB,
  /** A list that an expression makes. */
  maxMadeItems: 1000,
} as const;
