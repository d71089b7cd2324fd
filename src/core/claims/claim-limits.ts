/** Bounds of what is filed. */
export const claimLimits = {
  /** Of a file in the body of a call. What a gateway lets through may be less. */
  maxPostedBytes: 5 * 1024 * 1024,
  /** Of a file that was uploaded before: as much as a blob may have. */
  maxFileBytes: 16 * 1024 * 1024,
  /** How long an upload, once opened, may take to begin. */
  uploadTtlMs: 15 * 60_000,
  maxTitleChars: 200,
  maxKindChars: 64,
  /** Of what a review answered, as a claim shows it. */
  maxDecisionChars: 64,
  maxReasonChars: 500,
} as const;
