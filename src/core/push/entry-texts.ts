import type { JournalEntry } from '../journal/journal-entry.ts';
import { positionText } from './positions.ts';
import type { PushSubscription } from './push-connection.ts';
import type { TopicTerms } from './topic-terms.ts';

/** What one subscription is told of some entries. */
export interface ToldEntries {
  /** Frames, as they are sent. */
  readonly texts: readonly string[];
  /** All is told: the last of the texts says so. */
  readonly isEnded: boolean;
}

/**
 * Entries of one journal, as frames for many subscriptions: what those of one topic are told is
 * made once.
 */
export class EntryTexts {
  readonly #journal: string;
  readonly #entries: readonly JournalEntry[];
  readonly #dataOfTopics = new Map<string, readonly (readonly string[])[]>();

  constructor(journal: string, entries: readonly JournalEntry[]) {
    this.#journal = journal;
    this.#entries = entries;
  }

  /**
   * `places`: where the subscription stands in all its journals; entries before that are left out,
   * and it is moved on in the journal `at`.
   */
  framesFor(
    { name, opened: { topic } }: Pick<PushSubscription, 'name' | 'opened'>,
    terms: TopicTerms,
    places: number[],
    at: number,
  ): ToldEntries {
    const datas = this.#dataFor(JSON.stringify(topic), terms);
    const texts: string[] = [];
    for (const [place, entry] of this.#entries.entries()) {
      if (entry.index <= (places[at] ?? -1)) continue;
      places[at] = entry.index;
      const data = datas[place] ?? [];
      texts.push(
        ...data.map((text, nth) =>
          messageText(name, nth === data.length - 1 ? positionText(places) : null, text),
        ),
      );
      if (terms.isLast?.(entry) === true) {
        return { texts: [...texts, endedText(name)], isEnded: true };
      }
    }
    return { texts, isEnded: false };
  }

  #dataFor(topic: string, { messagesOf }: TopicTerms): readonly (readonly string[])[] {
    const known = this.#dataOfTopics.get(topic);
    if (known !== undefined) return known;
    const made = this.#entries.map((entry) =>
      messagesOf(entry, this.#journal).map((message) => JSON.stringify(message)),
    );
    this.#dataOfTopics.set(topic, made);
    return made;
  }
}

/** A `message` frame whose data is JSON already. */
export function messageText(subscription: string, id: string | null, data: string): string {
  const head = JSON.stringify({ type: 'message', subscription, id });
  return `${head.slice(0, -1)},"data":${data}}`;
}

export function endedText(subscription: string): string {
  return JSON.stringify({ type: 'ended', subscription });
}
