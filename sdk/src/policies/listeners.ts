/** Those who want to hear of something. What they throw, or reject, harms nobody else. */
export class Listeners<Value> {
  readonly #listeners = new Set<{ readonly hear: (value: Value) => unknown }>();
  readonly #onFailure: (error: unknown, value: Value) => void;

  constructor(onFailure: (error: unknown, value: Value) => void) {
    this.#onFailure = onFailure;
  }

  /** Answers how to take it off again. One that is added twice hears twice. */
  add(hear: (value: Value) => unknown): () => void {
    const listener = { hear };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(value: Value): void {
    for (const { hear } of Array.from(this.#listeners)) {
      // Also for what is rejected later.
      (async () => hear(value))().catch((error: unknown) => this.#onFailure(error, value));
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
