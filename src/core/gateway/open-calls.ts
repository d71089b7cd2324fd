import { AppError } from '../errors/app-error.ts';

/** Calls under way in this process, by tenant: none takes up all the room. */
export class OpenCalls {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Answers what ends it, to be called once or more. Errors: `too_many_requests`. */
  begin(tenant: string): () => void {
    const others = this.#open.get(tenant) ?? 0;
    if (others >= this.#max) {
      throw new AppError('too_many_requests', 'Too many calls at a time: wait for some to end.', {
        retryable: true,
        retryAfterS: 1,
      });
    }
    this.#open.set(tenant, others + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.#open.get(tenant) ?? 1) - 1;
      if (left === 0) this.#open.delete(tenant);
      else this.#open.set(tenant, left);
    };
  }
}
