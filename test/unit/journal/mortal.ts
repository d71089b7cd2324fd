import { interceptMethods } from '../../support/intercept-methods.ts';

/** What no code may take for an answer: as if the process were gone. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** A process that dies at its `diesAt`th call of a port, before or after the call is done. */
export class Life {
  calls = 0;
  readonly #diesAt: number;
  readonly #moment: 'before' | 'after';

  constructor(diesAt = Infinity, moment: 'before' | 'after' = 'before') {
    this.#diesAt = diesAt;
    this.#moment = moment;
  }

  /** The same port, of use only while it lives. */
  during<Port extends object>(port: Port, ...methods: readonly (string & keyof Port)[]): Port {
    const named = Object.fromEntries(methods.map((method) => [method, true]));
    return interceptMethods(
      port,
      named as Record<string & keyof Port, true>,
      async (_, __, call) => {
        this.calls += 1;
        const { calls } = this;
        if (calls > this.#diesAt) throw new Killed();
        if (calls === this.#diesAt && this.#moment === 'before') throw new Killed();
        const answer = await call();
        if (calls >= this.#diesAt || this.calls > this.#diesAt) throw new Killed();
        return answer;
      },
    );
  }
}
