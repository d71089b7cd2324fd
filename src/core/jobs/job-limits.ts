/** Bounds of what a job may be and hold. */
export const jobLimits = {
  /** As JSON; above it the blob store keeps the data. */
  maxInlineDataBytes: 200 * 1024,
  /** As JSON. What a gateway lets through may be less. */
  maxDataBytes: 5 * 1024 * 1024,
  maxResultBytes: 64 * 1024,
  maxEmittedBytes: 100 * 1024,
  /** Open jobs of a tenant; then its callers are told to wait. */
  maxOpenJobs: 200_000,
  /** Types of which a tenant has open jobs at a time. */
  maxOpenTypes: 100,
  /** How far ahead a job may be put off. */
  maxDelayMs: 90 * 86_400_000,
  /** How long an ended job can be looked at; its journal entries stay. */
  retentionMs: 90 * 86_400_000,
  /** How long an idempotency key is remembered. */
  idempotencyMs: 7 * 86_400_000,
  maxHistory: 50,
  /** What is said of a step in a job's history; the journal has all of it. */
  maxDetailChars: 200,
  maxMessageChars: 500,
  /** Progress that comes sooner after the last is dropped. */
  progressEveryMs: 250,
  maxAttempts: 25,
  /** Of one attempt of a worker of ours. */
  maxTimeoutMs: 900_000,
  /** Of a worker of ours. Renewed while it lives. */
  leaseMs: 30_000,
  /** Over the lease, so that a turn does not run out before the lease does. */
  turnMs: 35_000,
  /** Of a worker outside, at the most. */
  maxLeaseMs: 3_600_000,
} as const;
