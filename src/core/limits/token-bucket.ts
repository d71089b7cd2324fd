import type { Rate } from './rate-limits.ts';

/** Buckets count in thousandths of a call: what a ms brings in is then a whole number. */
export const wholeCall = 1000;

/** What is in a bucket so many ms later, in thousandths: never more than its burst. */
export function refilled(left: number, elapsedMs: number, { perSecond, burst }: Rate): number {
  return elapsedMs > 0 ? Math.min(burst * wholeCall, left + elapsedMs * perSecond) : left;
}

/**
 * A token bucket: full at first, emptied by calls, and filled again by time. In any `t` ms it lets
 * through at most `burst + t * perSecond / 1000` calls, exactly so where times are whole. Time that
 * steps back brings in nothing. With whole times, nothing is allocated after it is made.
 */
export class TokenBucket {
  readonly #rate: Rate;
  #left: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst * wholeCall;
    this.#atMs = nowMs;
  }

  /** In thousandths of a call, after a refill; below 0 when `lower` said so. */
  leftAt(nowMs: number): number {
    if (nowMs !== this.#atMs) {
      this.#left = refilled(this.#left, nowMs - this.#atMs, this.#rate);
      this.#atMs = nowMs;
    }
    return this.#left;
  }

  /** Takes so many calls, if they are there; else none. */
  take(calls: number, nowMs: number): boolean {
    if (this.leftAt(nowMs) < calls * wholeCall) return false;
    this.spend(calls);
    return true;
  }

  /** Takes them, there or not: for who has looked at `leftAt`. */
  spend(calls: number): void {
    this.#left -= calls * wholeCall;
  }

  /** How long until one call is there, in ms; 0 when it is. */
  waitMs(nowMs: number): number {
    return Math.max(0, (wholeCall - this.leftAt(nowMs)) / this.#rate.perSecond);
  }

  /** It held no more than `left` thousandths at `atMs`. */
  lower(left: number, atMs: number, nowMs: number): void {
    this.#left = Math.min(this.leftAt(nowMs), refilled(left, nowMs - atMs, this.#rate));
  }
}
