import { backOffMs } from '../api/delays.ts';
import { HmsError, ProblemError } from '../api/errors.ts';
import { Alarm } from '../policies/alarm.ts';
import type { Announcements } from '../policies/announcements.ts';
import type { PushSource } from './push-source.ts';

export interface PushTerms {
  readonly source: PushSource;
  readonly onOpen: () => void;
  readonly onChange: (message: string) => void;
  /** It is not up any more, or did not come up at first; once until it is back. */
  readonly onLost: () => void;
  readonly says: Pick<Announcements, 'pushLost' | 'pushBack'>;
  readonly keepsAlive: boolean;
}

const firstDelayMs = 1000;
/** What is refused is not asked for as often. */
const refusedDelayMs = 60_000;
/** A connection that lived for less may be one of many that end at once. */
const shortLifeMs = 10_000;
const maxShortLives = 3;
/** Who only reads one rule and ends, opens none. */
const patienceMs = 1000;

/** Keeps one connection open, and replaces it when it ends, breaks or falls silent. */
export class PushLoop {
  readonly #terms: PushTerms;
  readonly #alarm: Alarm;
  #state: 'new' | 'up' | 'down' = 'new';
  #position: string | undefined;
  /** Connections in a row that did not open, or not for long. */
  #failures = 0;

  constructor(terms: PushTerms) {
    this.#terms = terms;
    this.#alarm = new Alarm(terms.keepsAlive);
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    if (!this.#terms.keepsAlive) await this.#alarm.wait(patienceMs, signal);
    while (!signal.aborted) {
      const error = await this.#once(signal);
      if (signal.aborted) break;
      if (error !== undefined || this.#failures >= maxShortLives) this.#lose(error);
      await this.#alarm.wait(this.#delayMs(error), signal);
    }
    this.#state = 'down';
  }

  /** Undefined when it opened and ended in order. */
  async #once(signal: AbortSignal): Promise<unknown> {
    let openedMs = Infinity;
    const opened = () => {
      openedMs = performance.now();
      const wasDown = this.#state === 'down';
      this.#state = 'up';
      if (wasDown) this.#terms.says.pushBack();
      this.#terms.onOpen();
    };
    const moved = (position: string) => (this.#position = position);
    const { source, onChange: changed } = this.#terms;
    let error: unknown;
    try {
      await source(this.#position, { opened, moved, changed }, signal);
      if (openedMs === Infinity) error = new HmsError('The connection ended before it began.');
    } catch (thrown) {
      error = thrown;
      if (isBadPosition(thrown)) this.#position = undefined;
    }
    const isLong = performance.now() - openedMs >= shortLifeMs;
    this.#failures = isLong ? 1 : this.#failures + 1;
    return error;
  }

  #lose(error: unknown): void {
    if (this.#state === 'down') return;
    this.#state = 'down';
    this.#terms.says.pushLost(error);
    this.#terms.onLost();
  }

  #delayMs(error: unknown): number {
    const waitMs = backOffMs(this.#failures, firstDelayMs);
    if (!(error instanceof ProblemError)) return waitMs;
    const { retryAfterMs = 0, retryable } = error;
    // Not all clients at the moment that they were told to come back.
    const askedMs = retryAfterMs * (1 + Math.random());
    const leastMs = retryable || isBadPosition(error) ? askedMs : refusedDelayMs;
    return Math.max(waitMs, Math.min(leastMs, refusedDelayMs * 5));
  }
}

/** Of another service, or too far back: the manifest tells what was missed. */
function isBadPosition(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 400 || error.status === 412);
}
