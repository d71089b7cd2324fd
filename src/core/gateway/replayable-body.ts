import type { ByteStream } from '../../ports/service-caller.ts';

/**
 * A body that can be sent again, so long as it is small: what has been read of it is kept, up to
 * `maxBytes`. From then on each chunk is gone when the next is asked for.
 */
export class ReplayableBody {
  readonly sizeBytes: number | null;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  /** The chunks that are kept; of all that came, the first is this one. */
  #chunks: Uint8Array[] = [];
  #first = 0;
  #keptBytes = 0;
  #isKept = true;
  #isWhole = false;
  #failure: { readonly error: unknown } | undefined;
  #pulling: Promise<void> | undefined;
  #reader = 0;

  constructor({ chunks, sizeBytes }: ByteStream, maxBytes: number) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.sizeBytes = sizeBytes;
    this.#maxBytes = maxBytes;
  }

  /** Whether all of it can be had from the beginning. */
  get canReplay(): boolean {
    return this.#first === 0 && this.#failure === undefined;
  }

  /** Begins it anew; who read it before gets no more of it. Only while `canReplay`. */
  open(): ByteStream {
    const reader = ++this.#reader;
    return { sizeBytes: this.sizeBytes, chunks: this.#read(reader) };
  }

  async *#read(reader: number): AsyncGenerator<Uint8Array> {
    for (let next = 0; ;) {
      if (reader !== this.#reader) throw new Error('the body is being sent anew');
      const chunk = this.#chunks[next - this.#first];
      if (chunk !== undefined) {
        next += 1;
        if (!this.#isKept) this.#drop(next);
        yield chunk;
      } else if (this.#failure !== undefined) {
        throw this.#failure.error;
      } else if (this.#isWhole) {
        return;
      } else {
        // A reader that has given up may still wait for the next chunk: it is for both.
        this.#pulling ??= this.#pull().finally(() => {
          this.#pulling = undefined;
        });
        await this.#pulling;
      }
    }
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done === true) {
        this.#isWhole = true;
        return;
      }
      this.#chunks.push(value);
      this.#keptBytes += value.byteLength;
      if (this.#keptBytes > this.#maxBytes) this.#isKept = false;
    } catch (error) {
      this.#failure = { error };
    }
  }

  #drop(next: number): void {
    this.#chunks = this.#chunks.slice(next - this.#first);
    this.#first = next;
  }
}
