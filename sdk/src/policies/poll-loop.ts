import { askedMs, backOffMs } from '../api/delays.ts';
import { ProblemError } from '../api/errors.ts';
import { Alarm } from './alarm.ts';

export interface PollTerms {
  /** Asks once. Answers whether anything was new. */
  readonly check: (signal: AbortSignal) => Promise<boolean>;
  /** From one check to the next, while nobody wakes it. */
  readonly intervalMs: () => number;
  /** More is expected than the last check showed: it is worth asking again soon. */
  readonly isBehind: () => boolean;
  readonly onSuccess: (startedAtMs: number) => void;
  readonly onFailure: (error: unknown, failures: number, retryInMs: number) => void;
  readonly keepsAlive: boolean;
}

const firstDelayMs = 1000;
const firstSpreadMs = 1000;
const maxSpreadMs = 30_000;
const leastSpreadMs = 100;
const firstGapMs = 50;
const maxGapMs = 5000;
/** Checks in vain after which no more is expected: some 6 s. */
const maxInVain = 7;

/**
 * Checks again and again: at an interval with jitter; when woken, at once; after failures with back-off,
 * as late as the service asks. However often it is woken, one check is under way and at most one is to
 * follow, later and later while they find nothing.
 */
export class PollLoop {
  readonly #terms: PollTerms;
  readonly #alarm: Alarm;
  #isWoken = false;
  #failures = 0;
  /** Woken checks in a row that found nothing. */
  #inVain = 0;
  #dueMs = 0;
  #notBeforeMs = 0;
  #endedMs = 0;
  /**
   * A change wakes all clients at once. Where the service refuses some for that, they spread over so
   * long, and over less each time that it does not.
   */
  #spreadMs = 0;
  #wokenMs = 0;

  constructor(terms: PollTerms) {
    this.#terms = terms;
    this.#alarm = new Alarm(terms.keepsAlive);
  }

  /** There may be something new. */
  wake(): void {
    if (!this.#isWoken) this.#wokenMs = performance.now() + Math.random() * this.#spreadMs;
    this.#isWoken = true;
    this.#alarm.ring();
  }

  /** The interval is another one: it counts from the last check. */
  reschedule(): void {
    if (this.#failures === 0) this.#dueMs = this.#endedMs + this.#jittered();
    this.#alarm.ring();
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#once(signal);
      for (;;) {
        const waitMs = this.#nextMs() - performance.now();
        if (waitMs <= 0 || signal.aborted) break;
        await this.#alarm.wait(waitMs, signal);
      }
    }
  }

  #nextMs(): number {
    const gapMs = Math.min(firstGapMs * 2 ** this.#inVain, maxGapMs);
    const wokenMs = Math.max(this.#wokenMs, this.#endedMs + gapMs);
    return Math.max(this.#isWoken ? wokenMs : this.#dueMs, this.#notBeforeMs);
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { check, onSuccess } = this.#terms;
    const wasWoken = this.#isWoken;
    this.#isWoken = false;
    const startedAtMs = Date.now();
    try {
      const isNew = await check(signal);
      if (signal.aborted) return;
      this.#endedMs = performance.now();
      this.#failures = 0;
      if (wasWoken) this.#spreadMs = this.#spreadMs < leastSpreadMs ? 0 : this.#spreadMs / 2;
      this.#dueMs = this.#endedMs + this.#jittered();
      this.#inVain = isNew || !wasWoken ? 0 : this.#inVain + 1;
      onSuccess(startedAtMs);
      this.#lookForMore();
    } catch (error) {
      if (!signal.aborted) this.#fail(error, wasWoken);
    }
  }

  /** What was told of may not have reached all of the service yet. */
  #lookForMore(): void {
    if (!this.#isWoken && this.#inVain < maxInVain && this.#terms.isBehind()) this.#isWoken = true;
  }

  #fail(error: unknown, wasWoken: boolean): void {
    this.#endedMs = performance.now();
    this.#failures += 1;
    if (wasWoken) this.#inVain += 1;
    if (isTooMuch(error)) {
      this.#spreadMs = Math.min(Math.max(firstSpreadMs, this.#spreadMs * 2), maxSpreadMs);
    }
    const restMs = askedMs(error) + Math.random() * this.#spreadMs;
    this.#notBeforeMs = this.#endedMs + restMs;
    this.#dueMs = this.#endedMs + backOffMs(this.#failures, firstDelayMs);
    const retryInMs = Math.ceil(Math.max(this.#dueMs, this.#notBeforeMs) - this.#endedMs);
    this.#terms.onFailure(error, this.#failures, retryInMs);
  }

  #jittered(): number {
    return this.#terms.intervalMs() * (0.9 + Math.random() / 5);
  }
}

/** The service had more to do than it can. */
function isTooMuch(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 429 || error.status === 503);
}
