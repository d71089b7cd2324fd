const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Each after the attempt before; the first attempt is made at once. */
const delaysMs = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  8 * hourMs,
  8 * hourMs,
] as const;

/** From the first attempt on; after it none is made. */
export const deadlineMs = 24 * hourMs;

/**
 * When to try again after so many attempts, the last of which failed just now: Unix ms, or null
 * when no attempt is left before the deadline.
 */
export function nextAttemptMs(tries: number, nowMs: number, untilMs: number): number | null {
  const delayMs = delaysMs[tries - 1];
  if (delayMs === undefined || nowMs + delayMs > untilMs) return null;
  return nowMs + delayMs;
}
