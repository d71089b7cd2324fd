import type { Deps } from '../core/deps.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';

export interface ReadingDeps extends Pick<Deps, 'signal'> {
  /** The next entries of a journal after an index, at most `pageLength`. */
  readonly readAfter: (journal: string, index: number) => Promise<readonly JournalEntry[]>;
}

/** What is read, and what is told of it. */
export interface ReadingTerms {
  /** One or several, of one tenant. Between those of a stream no order is promised. */
  readonly journals: readonly string[];
  /** What the reader is told of an entry, in order and as values for JSON: mostly nothing. */
  readonly messagesOf: (entry: JournalEntry, journal: string) => readonly unknown[];
  /** The entry after which there is nothing more to tell; none, unless given. */
  readonly isLast?: (entry: JournalEntry) => boolean;
  /** Nothing more is to come: it is done with what the journals have now. */
  readonly isOver?: boolean;
  /** The index in each journal after which to begin; undefined: with the next change. */
  readonly seen: readonly number[] | undefined;
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
    return this.#places.map(({ position }) => position).join('.');
  }

  /** There is nothing more to tell. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Looks at one journal after the other, up to the first that has something to tell, and so never
   * holds more than one page. `hasMore`: it is known that there is more to read.
   */
  async next(): Promise<{ readonly messages: string; readonly hasMore: boolean }> {
    const first = this.#turn;
    const inTurn = [...this.#places.slice(first), ...this.#places.slice(0, first)];
    let hasMore = false;
    for (const [looked, place] of inTurn.entries()) {
      this.#turn = (first + looked + 1) % inTurn.length;
      const read = await this.#deps.readAfter(place.journal, place.position);
      const messages = this.#told(place, read);
      if (messages !== '' || this.#isDone) return { messages, hasMore: true };
      hasMore ||= read.length >= pageLength;
    }
    return { messages: '', hasMore };
  }

  /** Until one of the journals may have grown, for `ms`, or until the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener('abort', end, { once: true });
    const waits = this.#places.map(({ journal, position }) =>
      this.#deps.signal.wait(journal, position + 1, ms, over.signal),
    );
    await Promise.race(waits);
    signal.removeEventListener('abort', end);
    over.abort();
  }

  #told(place: Place, read: readonly JournalEntry[]): string {
    const { messagesOf, isLast } = this.#terms;
    let text = '';
    for (const entry of read) {
      place.position = entry.index;
      const messages = messagesOf(entry, place.journal);
      if (messages.length > 0) text += textOf(this.id, messages);
      if (isLast?.(entry) === true) {
        this.#isDone = true;
        return text;
      }
    }
    this.#isDone = this.#hasReadAll();
    return text;
  }

  #hasReadAll(): boolean {
    const { isOver = false } = this.#terms;
    return isOver && this.#places.every(({ position, end }) => position >= end);
  }
}

function textOf(id: string, messages: readonly unknown[]): string {
  // Only the last moves the reader's position: who breaks off before it gets all of them again.
  return messages
    .map((message, place) => {
      const position = place === messages.length - 1 ? `id: ${id}\n` : '';
      return `${position}data: ${JSON.stringify(message)}\n\n`;
    })
    .join('');
}
