import type { FailureWindow } from './failure-window.ts';

const rules = {
  inARow: 3,
  /** And a share of the last 10 s, from so many calls up. */
  minCalls: 10,
  failureShare: 0.5,
  /** Doubled each time. */
  firstMs: 5000,
  maxMs: 120_000,
  /** After so long without one, it begins at the first again. */
  forgetMs: 300_000,
} as const;

/** Keeps calls from a target for a while: longer each time, and never for good. */
export class Ejection {
  #untilMs = 0;
  #times = 0;

  isOn(nowMs: number): boolean {
    // Longer than the longest, the clock has stepped back.
    return nowMs < this.#untilMs && this.#untilMs - nowMs <= rules.maxMs;
  }

  /** Answers for how long. */
  begin(nowMs: number): number {
    if (nowMs - this.#untilMs > rules.forgetMs) this.#times = 0;
    const forMs = Math.min(rules.maxMs, rules.firstMs * 2 ** this.#times);
    this.#times += 1;
    this.#untilMs = nowMs + forMs;
    return forMs;
  }
}

/** A replica, and how calls of it went. */
export interface Replica {
  readonly calls: FailureWindow;
  readonly ejection: Ejection;
}

/**
 * Ejects a replica that has just failed, when it fails much: never more than half of the replicas
 * that calls may go to. Answers for how many ms, or null.
 */
export function ejectOutlier(
  failed: Replica,
  replicas: readonly Replica[],
  nowMs: number,
): number | null {
  if (failed.ejection.isOn(nowMs) || !failsMuch(failed.calls, nowMs)) return null;
  const ejected = replicas.filter(({ ejection }) => ejection.isOn(nowMs)).length;
  if (ejected + 1 > replicas.length / 2) return null;
  return failed.ejection.begin(nowMs);
}

function failsMuch(window: FailureWindow, nowMs: number): boolean {
  if (window.inARow >= rules.inARow) return true;
  const { calls, failures } = window.tally(nowMs);
  return calls >= rules.minCalls && failures >= rules.failureShare * calls;
}
