import type { Api } from '../api/api.ts';
import { backOffMs, retryDelayMs, sleep } from '../api/delays.ts';
import { HmsError, ProblemError } from '../api/errors.ts';
import type { LeasedJob } from '../wire/job.ts';

/** The job is no longer this worker's: another one has it, or it was cancelled. */
export class LeaseLostError extends HmsError {
  override readonly name = 'LeaseLostError';
}

export interface LeaseTerms {
  readonly leaseSeconds: number;
  /** Gives up all that is under way. */
  readonly end: AbortSignal;
}

const firstDelayMs = 200;
const callMs = 10_000;
const leastCallMs = 1000;
const progressEveryMs = 250;
const maxNoteChars = 200;
/** Of what is sent: as it is, the service will never take it. */
const refusals: ReadonlySet<string> = new Set(['invalid_request', 'too_large']);

/** An attempt that this worker has: kept, every third of the lease, until it is released or lost. */
export class HeldLease {
  /** Aborts, with a `LeaseLostError`, when the job is no longer this worker's. */
  readonly lost: AbortSignal;
  readonly #api: Api;
  readonly #leased: Pick<LeasedJob, 'id' | 'lease'>;
  readonly #terms: LeaseTerms;
  readonly #leaseMs: number;
  readonly #loss = new AbortController();
  readonly #released = new AbortController();
  /** Until then it is kept. */
  readonly #over: AbortSignal;
  /** By our own clock: that of the service may be another one. */
  #untilMs: number;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(api: Api, leased: Pick<LeasedJob, 'id' | 'lease'>, terms: LeaseTerms) {
    this.#api = api;
    this.#leased = leased;
    this.#terms = terms;
    this.#leaseMs = terms.leaseSeconds * 1000;
    this.#untilMs = Date.now() + this.#leaseMs;
    this.lost = this.#loss.signal;
    this.#over = AbortSignal.any([this.#released.signal, this.lost, terms.end]);
    // It only ever ends by being over.
    this.#beat().catch(() => undefined);
  }

  /** Nothing is sent any more, but for a report. */
  release(): void {
    this.#released.abort();
  }

  /** Never rejects. Drops what comes too often: the next word says more anyway. */
  async progress(percent: number, note?: string): Promise<void> {
    const nowMs = Date.now();
    const isTooSoon = Math.abs(nowMs - this.#toldMs) < progressEveryMs;
    if (this.#over.aborted || isTooSoon || !Number.isFinite(percent)) return;
    this.#toldMs = nowMs;
    const bounded = Math.min(100, Math.max(0, percent));
    await this.#keep('progress', { percent: bounded, note: plainLine(note) });
  }

  /**
   * The last word, repeated until the service has it or the lease is over.
   * Errors: `LeaseLostError`; those of a call, when no repeat would be taken.
   */
  async report(verb: 'complete' | 'fail', told: object): Promise<void> {
    const { end } = this.#terms;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#call(verb, told, end);
      } catch (error) {
        if (!(error instanceof HmsError) || isRefusal(error)) throw error;
        if (this.#isLostWith(error)) throw this.lost.reason;
        await sleep(retryDelayMs(error, tries, firstDelayMs), end);
      }
    }
  }

  async #beat(): Promise<void> {
    const thirdMs = this.#leaseMs / 3;
    for (let failures = 0; ;) {
      const waitMs = failures === 0 ? thirdMs : Math.min(thirdMs, backOffMs(failures, 500));
      await sleep(waitMs, this.#over);
      failures = (await this.#keep('heartbeat', {})) ? 0 : failures + 1;
    }
  }

  /** Whether it is known to be kept. What failed may work in time. */
  async #keep(verb: 'heartbeat' | 'progress', told: object): Promise<boolean> {
    const sentMs = Date.now();
    const { leaseSeconds } = this.#terms;
    try {
      await this.#call(verb, { leaseSeconds, ...told }, this.#over);
      this.#untilMs = Math.max(this.#untilMs, sentMs + this.#leaseMs);
      return true;
    } catch (error) {
      if (!this.#over.aborted) this.#isLostWith(error);
      return false;
    }
  }

  #isLostWith(cause: unknown): boolean {
    const isSaid = cause instanceof ProblemError && /^(lease_lost|not_found)$/.test(cause.code);
    if (!isSaid && Date.now() < this.#untilMs) return false;
    const why = isSaid ? 'the service says so' : 'the service could not be told in time';
    const message = `The lease of job ${this.#leased.id} is over: ${why}.`;
    this.#loss.abort(new LeaseLostError(message, { cause }));
    return true;
  }

  async #call(verb: string, told: object, signal: AbortSignal): Promise<void> {
    const { id, lease } = this.#leased;
    await this.#api.send({
      method: 'POST',
      path: `/jobs/${encodeURIComponent(id)}/${verb}`,
      json: { lease, ...told },
      idempotent: true,
      retries: 0,
      timeoutMs: Math.max(leastCallMs, Math.min(callMs, this.#untilMs - Date.now())),
      signal,
    });
  }
}

function isRefusal(error: HmsError): boolean {
  return error instanceof ProblemError && refusals.has(error.code);
}

/** A line that the service takes. */
function plainLine(note = ''): string | undefined {
  const line = note.replaceAll(/\p{C}+/gu, ' ').trim();
  return line === '' ? undefined : line.slice(0, maxNoteChars).toWellFormed();
}
