import type { RecordStore } from '../../../src/ports/record-store.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { getRecord } from '../../../src/core/records.ts';
import { runKey } from '../../../src/core/rollouts/run-keys.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';
import { Killed } from '../journal/mortal.ts';

/** What happens at a call of the store, by its number, before or after that is done. */
export interface Death {
  readonly call: number;
  readonly moment: 'before' | 'after';
  /**
   * `process`: all that runs is gone. `task`: only the call fails, with an error that nobody
   * expects; so its execution ends, and is known to have. `answer`: the store does not answer.
   */
  readonly of: 'process' | 'task' | 'answer';
}

/** A desk whose process dies at one of its calls of the store, and none of whose calls goes through then. */
export class MortalDesk extends RolloutDesk {
  /** The method of each call of the store while it counted them. */
  readonly called: string[] = [];
  isDead = false;
  failures = 0;
  /** What is there, also when the process is not. */
  readonly kept: RecordStore;
  #death: Death | null = null;
  #isCounting = false;

  constructor() {
    const clock = new ManualClock();
    const store = memoryRecords(clock);
    const methods = { get: 0, getMany: 0, query: 0, commit: 0 };
    const records = interceptMethods(store, methods, (method, _, call) => this.#pass(method, call));
    super({ clock, records });
    this.kept = store;
  }

  /** From now on calls count. */
  live(death: Death | null): void {
    this.#isCounting = true;
    this.#death = death;
  }

  /** The process is started again, and lives on. */
  async revive(): Promise<void> {
    const killed = this.kill();
    // Whoever slept between two attempts finds out.
    await this.clock.advance(2000);
    await killed;
    this.isDead = false;
    this.#isCounting = false;
  }

  async stored(run: number): Promise<RunRecord | undefined> {
    const key = runKey({ tenant: this.tenant, run });
    return (await getRecord({ records: this.kept }, key))?.value;
  }

  async #pass(method: string, call: () => unknown): Promise<unknown> {
    if (this.isDead) throw new Killed();
    if (!this.#isCounting) return call();
    this.called.push(method);
    const { call: last, moment, of = 'process' } = this.#death ?? {};
    if (this.called.length === last && moment === 'before') this.#fail(of);
    const count = this.called.length;
    const answer = await call();
    if (count === last) this.#fail(of);
    if (this.isDead) throw new Killed();
    return answer;
  }

  #fail(of: Death['of']): never {
    this.failures += 1;
    if (of === 'process') this.isDead = true;
    throw of === 'answer' ? new Unavailable('no answer (injected)') : new Killed();
  }
}
