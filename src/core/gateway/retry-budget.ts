/** In thousandths of a retry: a fifth of the calls, and three a second in any case. */
const perRetry = 1000;
const perCall = 200;
const perMs = 3;
const max = 100 * perRetry;

/**
 * Bounds the retries of a service, so that a service in trouble is not called three times as often
 * for it: one for every five calls and three a second, saved up to 100.
 */
export class RetryBudget {
  #left = max;
  #countedAtMs: number;

  constructor(nowMs: number) {
    this.#countedAtMs = nowMs;
  }

  /** A call has come. */
  earn(nowMs: number): void {
    const pastMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#countedAtMs = nowMs;
    this.#left = Math.min(max, this.#left + perCall + pastMs * perMs);
  }

  /** Whether a retry is paid for. */
  spend(): boolean {
    if (this.#left < perRetry) return false;
    this.#left -= perRetry;
    return true;
  }
}
