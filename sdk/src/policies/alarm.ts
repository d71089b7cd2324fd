const maxTimerMs = 2 ** 31 - 1;

/** A sleep that can be cut short. One sleeps at a time. */
export class Alarm {
  readonly #keepsAlive: boolean;
  #wake: (() => void) | undefined;

  /** `keepsAlive`: whether a process lives on for its timer alone. */
  constructor(keepsAlive: boolean) {
    this.#keepsAlive = keepsAlive;
  }

  /** Until the time has passed, it rings, or the signal aborts. `Infinity` is no timer at all. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return undefined;
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer =
        ms === Infinity ? undefined : setTimeout(wake, Math.min(Math.ceil(ms), maxTimerMs));
      // In browsers it is a number.
      if (!this.#keepsAlive) (timer as { unref?: () => unknown } | undefined)?.unref?.();
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }

  /** Wakes whoever sleeps; who is awake, knows. */
  ring(): void {
    this.#wake?.();
  }
}
