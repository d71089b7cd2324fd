/** When a failed attempt is followed by another: exponential back-off with jitter. */
export interface RetryPolicy {
  /** Attempts in all, the first included; then the job is dead. 1 to 25. */
  readonly maxAttempts: number;
  /** Before the second attempt; doubled for each after it. */
  readonly baseMs: number;
  readonly maxMs: number;
}

export const defaultRetry: RetryPolicy = { maxAttempts: 5, baseMs: 1000, maxMs: 3_600_000 };

/**
 * How long to wait after so many attempts, in ms: between half of the doubled base and all of it, so
 * that jobs that failed together do not come back together.
 */
export function backOffMs(
  attempts: number,
  { baseMs, maxMs }: Pick<RetryPolicy, 'baseMs' | 'maxMs'>,
): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** Math.max(0, attempts - 1));
  return Math.round(fullMs / 2 + (Math.random() * fullMs) / 2);
}
