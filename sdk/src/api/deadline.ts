const maxTimerMs = 2 ** 31 - 1;

/**
 * A signal that aborts together with another one, or after a time. Unlike `AbortSignal.any` and
 * `AbortSignal.timeout` it is let go of as soon as it is not needed any more: nothing of it is left at
 * a signal that lives as long as the process. Its timer keeps no process alive.
 */
export class Deadline {
  readonly #aborting = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #endsAtMs: number;
  #isOver = false;

  constructor(ms: number, parent?: AbortSignal) {
    this.#ms = ms;
    this.#parent = parent;
    this.#endsAtMs = performance.now() + ms;
    if (parent?.aborted === true) this.#aborting.abort(parent.reason);
    else {
      parent?.addEventListener('abort', this.#follow, { once: true });
      this.#arm();
    }
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** It was the time that ended it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The time begins anew. Costs next to nothing: the timer looks at it when it fires. */
  restart(): void {
    this.#endsAtMs = performance.now() + this.#ms;
  }

  /** Lets go of the timer and of the other signal; this one does not abort any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener('abort', this.#follow);
  }

  readonly #follow = () => {
    clearTimeout(this.#timer);
    this.#aborting.abort(this.#parent?.reason);
  };

  #arm(): void {
    const leftMs = Math.min(Math.ceil(this.#endsAtMs - performance.now()), maxTimerMs);
    this.#timer = setTimeout(() => {
      if (performance.now() < this.#endsAtMs) return this.#arm();
      this.#isOver = true;
      this.end();
      return this.#aborting.abort();
    }, leftMs);
    // In browsers it is a number.
    (this.#timer as { unref?: () => unknown }).unref?.();
  }
}
