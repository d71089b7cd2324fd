const bucketMs = 1000;
const buckets = 10;

/** How calls went, of the last 10 s. */
export interface CallTally {
  readonly calls: number;
  readonly failures: number;
}

/** How the calls of one target went lately, in buckets of a second. */
export class FailureWindow {
  readonly #calls = new Uint32Array(buckets);
  readonly #failures = new Uint32Array(buckets);
  /** The second that the newest bucket stands for. */
  #newest = 0;
  #inARow = 0;

  /** Failures since the last call that went well, however long ago. */
  get inARow(): number {
    return this.#inARow;
  }

  succeed(nowMs: number): void {
    this.#count(this.#calls, nowMs);
    this.#inARow = 0;
  }

  fail(nowMs: number): void {
    const bucket = this.#count(this.#calls, nowMs);
    this.#failures[bucket] = (this.#failures[bucket] ?? 0) + 1;
    this.#inARow += 1;
  }

  tally(nowMs: number): CallTally {
    this.#turnTo(nowMs);
    return { calls: sum(this.#calls), failures: sum(this.#failures) };
  }

  /** Forgets everything. */
  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#inARow = 0;
  }

  #count(counts: Uint32Array, nowMs: number): number {
    this.#turnTo(nowMs);
    const bucket = this.#newest % buckets;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    return bucket;
  }

  /** Empties the buckets of what is longer ago. A clock that steps back counts as standing still. */
  #turnTo(nowMs: number): void {
    const now = Math.floor(nowMs / bucketMs);
    const turns = Math.min(buckets, now - this.#newest);
    for (let turn = 0; turn < turns; turn++) {
      const bucket = (now - turn) % buckets;
      this.#calls[bucket] = 0;
      this.#failures[bucket] = 0;
    }
    this.#newest = Math.max(this.#newest, now);
  }
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
