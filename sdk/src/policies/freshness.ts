/** How long ago the service confirmed the rules. */
export class Freshness {
  readonly #maxStaleMs: number;
  #checkedAtMs: number | undefined;
  #isConfirmed = false;
  #isToldStale = false;

  constructor(maxStaleMs: number) {
    this.#maxStaleMs = maxStaleMs;
  }

  get checkedAt(): Date | null {
    return this.#checkedAtMs === undefined ? null : new Date(this.#checkedAtMs);
  }

  /** To an earlier process. */
  resume(checkedAtMs: number): void {
    this.#checkedAtMs ??= checkedAtMs;
  }

  /** Answers whether it had been told to be stale. */
  confirm(checkedAtMs: number): boolean {
    const wasStale = this.#isToldStale;
    this.#checkedAtMs = checkedAtMs;
    this.#isConfirmed = true;
    this.#isToldStale = false;
    return wasStale;
  }

  /** It has not been confirmed to this process, or not for so long. */
  isStale(afterMs: number): boolean {
    return !this.#isConfirmed || Date.now() - (this.#checkedAtMs ?? 0) > afterMs;
  }

  /** The same, but true only once until it is confirmed again. */
  becomesStale(afterMs: number): boolean {
    if (this.#isToldStale || !this.isStale(afterMs)) return false;
    this.#isToldStale = true;
    return true;
  }

  /** The rules must not be given any more. */
  isTooOld(): boolean {
    if (this.#maxStaleMs === Infinity) return false;
    return this.#checkedAtMs === undefined || Date.now() - this.#checkedAtMs > this.#maxStaleMs;
  }
}
