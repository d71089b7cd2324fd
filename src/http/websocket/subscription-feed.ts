import type { OpenSubscription } from '../../core/push/open-subscription.ts';
import { positionText } from '../../core/push/positions.ts';
import type { ServerFrame } from '../../core/push/push-frames.ts';
import { JournalReading, type ReadingDeps, type Told } from '../journal-reading.ts';
import { frameText } from './websocket-frames.ts';

/** Whoever is never woken looks again after so long. */
const lookMs = 30_000;

/** Tells one subscription of a connection, from its beginning until it is stopped or all is told. */
export class SubscriptionFeed {
  readonly name: string;
  readonly #reading: JournalReading;
  #position: string;
  readonly #stopped = new AbortController();
  readonly #ended: AbortSignal;
  readonly #send: (text: string) => Promise<void>;

  /** `closed`: the connection is. `send` resolves when the client has been handed the text. */
  constructor(
    deps: ReadingDeps,
    { name, terms, positions, lengths }: OpenSubscription,
    closed: AbortSignal,
    send: (text: string) => Promise<void>,
  ) {
    this.name = name;
    this.#position = positionText(positions);
    this.#reading = new JournalReading(deps, { ...terms, seen: positions }, lengths);
    this.#ended = AbortSignal.any([closed, this.#stopped.signal]);
    this.#send = send;
  }

  /** Where the client stands when it has had all that was sent. */
  get position(): string {
    return this.#position;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Resolves when there is nothing more to tell, or it was ended. Errors: those of the store. */
  async run(): Promise<void> {
    const { name: subscription } = this;
    await this.#say({ type: 'subscribed', subscription, after: this.#position });
    while (!this.#ended.aborted && !this.#reading.isDone) {
      const { told, hasMore } = await this.#reading.next();
      if (this.#ended.aborted) return;
      await this.#tell(told);
      if (!hasMore) await this.#reading.wait(lookMs, this.#ended);
    }
    if (!this.#ended.aborted) await this.#say({ type: 'ended', subscription });
  }

  /** Hands a page over whole, and waits until it has been taken: a slow client is read no other. */
  async #tell(told: readonly Told[]): Promise<void> {
    const { name: subscription } = this;
    const frames = told.flatMap(({ id, messages }) =>
      messages.map((data, place): ServerFrame => {
        // Who breaks off before the last of them gets all of them again.
        const isLast = place === messages.length - 1;
        return { type: 'message', subscription, id: isLast ? id : null, data };
      }),
    );
    const said = frames.map((frame) => this.#say(frame));
    this.#position = this.#reading.id;
    await Promise.all(said);
  }

  #say(frame: ServerFrame): Promise<void> {
    return this.#send(frameText(frame));
  }
}
