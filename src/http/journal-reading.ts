import type { Deps } from '../core/deps.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { positionText } from '../core/push/positions.ts';
import type { TopicTerms } from '../core/push/topic-terms.ts';

export interface ReadingDeps extends Pick<Deps, 'signal'> {
  /** The next entries of a journal after an index, at most `pageLength`. */
  readonly readAfter: (journal: string, index: number) => Promise<readonly JournalEntry[]>;
}

/** What is read, and what is told of it. */
export interface ReadingTerms extends TopicTerms {
  /** The index in each journal after which to begin; undefined: with the next change. */
  readonly seen: readonly number[] | undefined;
}

/** What a reader is told of one entry. */
export interface Told {
  /** Where the reader stands after all of these: who breaks off before gets all of them again. */
  readonly id: string;
  readonly messages: readonly unknown[];
}

interface Place {
  readonly journal: string;
  /** The index of its last entry when the reading began. */
  readonly end: number;
  position: number;
}

/** Entries per read, and so the most that waits in memory for a slow reader. */
export const pageLength = 100;

/** Reads journals from one position to the next, and makes messages of what it finds. */
export class JournalReading {
  readonly #deps: ReadingDeps;
  readonly #terms: ReadingTerms;
  readonly #places: readonly Place[];
  /** Whose turn it is to be read: a busy journal does not keep the others. */
  #turn = 0;
  #isDone: boolean;

  /** `lengths`: of each journal, at this moment. */
  constructor(deps: ReadingDeps, terms: ReadingTerms, lengths: readonly number[]) {
    this.#deps = deps;
    this.#terms = terms;
    this.#places = terms.journals.map((journal, at) => {
      const end = (lengths[at] ?? 0) - 1;
      return { journal, end, position: Math.min(terms.seen?.[at] ?? end, end) };
    });
    this.#isDone = this.#hasReadAll();
  }

  /** Where it stands: the index in the journal, or in each of them, with dots between. */
  get id(): string {
    return positionText(this.#places.map(({ position }) => position));
  }

  /** There is nothing more to tell. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Looks at one journal after the other, up to the first that has something to tell, and so never
   * holds more than one page. `hasMore`: it is known that there is more to read.
   */
  async next(): Promise<{ readonly told: readonly Told[]; readonly hasMore: boolean }> {
    const first = this.#turn;
    const inTurn = [...this.#places.slice(first), ...this.#places.slice(0, first)];
    let hasMore = false;
    for (const [looked, place] of inTurn.entries()) {
      this.#turn = (first + looked + 1) % inTurn.length;
      const read = await this.#deps.readAfter(place.journal, place.position);
      const told = this.#told(place, read);
      if (told.length > 0 || this.#isDone) return { told, hasMore: true };
      hasMore ||= read.length >= pageLength;
    }
    return { told: [], hasMore };
  }

  /** Until one of the journals may have grown, for `ms`, or until the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waits = (until: AbortSignal) =>
      this.#places.map(async ({ journal, position }) =>
        this.#deps.signal.wait(journal, position + 1, ms, until),
      );
    // To end a wait costs as much as to send a message: of one journal, it ends by itself.
    if (this.#places.length === 1) return void (await Promise.all(waits(signal)));
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener('abort', end, { once: true });
    await Promise.race(waits(over.signal));
    signal.removeEventListener('abort', end);
    over.abort();
  }

  #told(place: Place, read: readonly JournalEntry[]): Told[] {
    const { messagesOf, isLast } = this.#terms;
    const told: Told[] = [];
    for (const entry of read) {
      place.position = entry.index;
      const messages = messagesOf(entry, place.journal);
      if (messages.length > 0) told.push({ id: this.id, messages });
      if (isLast?.(entry) === true) {
        this.#isDone = true;
        return told;
      }
    }
    this.#isDone = this.#hasReadAll();
    return told;
  }

  #hasReadAll(): boolean {
    const { isOver = false } = this.#terms;
    return isOver && this.#places.every(({ position, end }) => position >= end);
  }
}
