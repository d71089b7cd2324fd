import type { Json } from '../../core/values/json.ts';
import type { Ids } from '../../ports/ids.ts';

/** A token that a task waits with, until it is closed. */
export interface OpenToken {
  readonly token: string;
  /** Resolves when it is signalled; else never. */
  readonly result: Promise<Json>;
  readonly isSignalled: () => boolean;
  readonly close: () => void;
}

/** The tokens that tasks wait with: unguessable, each good for one signal. */
export class TaskTokens {
  readonly #ids: Ids;
  readonly #waiting = new Map<string, (result: Json) => void>();

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  open(): OpenToken {
    const token = this.#ids.next();
    const { promise, resolve } = Promise.withResolvers<Json>();
    let isSignalled = false;
    this.#waiting.set(token, (result) => {
      isSignalled = true;
      resolve(result);
    });
    return {
      token,
      result: promise,
      isSignalled: () => isSignalled,
      close: () => void this.#waiting.delete(token),
    };
  }

  /** Whether anyone waited with it. */
  signal(token: string, result: Json): boolean {
    const take = this.#waiting.get(token);
    this.#waiting.delete(token);
    take?.(result);
    return take !== undefined;
  }
}
