const Ki = 1024;

/**
 * What a schema may hold and what checking a rule by it may cost. Measured with 100 kinds of
 * hostile schema against rules at the limits of `packageLimits`, on one busy core: a step takes at
 * most 20 ns; compiling takes at most 0.25 s, checking 0.5 s; both together keep below 80 MB.
 */
export const lintLimits = {
  /** Findings of a run that are kept. */
  maxKept: 50,
  /** Findings of one check of one policy. */
  maxPerCheck: 200,
  maxDetailChars: 300,
  /** A schema as minimised JSON. */
  maxSchemaChars: 256 * Ki,
  /** Keys and values of a schema. */
  maxSchemaNodes: 10_000,
  maxSubschemas: 1000,
  /** The pointers of all keywords together: each is spelled out in what is compiled. */
  maxPointerChars: 256 * Ki,
  /** What ajv puts on its list, of branches that then match too. */
  maxErrors: 10_000,
  /** Work of checking one rule by one schema. */
  maxSteps: 25_000_000,
  maxPatterns: 50,
  maxPatternChars: 1000,
  /** Instructions of a compiled regular expression. */
  maxPatternSize: 500,
  /** Unicode classes (`\p{…}`) of a schema: the engine takes 50 ms to build each. */
  maxUnicodeClasses: 8,
  /** Characters of ranges in which the patterns of a schema ignore case: 0.4 µs for each. */
  maxFoldedChars: 100_000,
  /** A text that meets a pattern. */
  maxMatchedChars: 4 * Ki,
  /** States that the engine remembers, 2 KB each; with 10 000 of one pattern it becomes slow. */
  maxPatternStates: 5000,
} as const;
