import { abortable } from '../api/abortable.ts';
import { NotReadyError } from './policy-errors.ts';

/** Whether the first rules are here, and those who wait for them. */
export class Readiness {
  readonly #settled = Promise.withResolvers<void>();
  #isReady = false;

  constructor() {
    // Who waits hears of it; when nobody does, it is nobody's fault.
    this.#settled.promise.catch(() => undefined);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  reach(): void {
    this.#isReady = true;
    this.#settled.resolve();
  }

  /** They will not come any more. Of no effect when they are here. */
  giveUp(error: Error): void {
    this.#settled.reject(error);
  }

  async wait(signal: AbortSignal | undefined): Promise<void> {
    await abortable(this.#settled.promise, signal);
  }

  /**
   * The timer keeps the process alive: somebody waits.
   * Errors: `NotReadyError` with `why` after that time; the reason of the signal; that of `giveUp`.
   */
  async waitFor(
    ms: number,
    signal: AbortSignal | undefined,
    why: () => { readonly message: string; readonly cause: unknown },
  ): Promise<void> {
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const { message, cause } = why();
      limit.reject(new NotReadyError(message, cause));
    }, ms);
    try {
      await abortable(Promise.race([this.#settled.promise, limit.promise]), signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
