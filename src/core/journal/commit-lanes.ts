import { Unavailable } from '../errors/app-error.ts';
import { type ChangeRequest, commitTogether, type Decision } from './commit.ts';
import type { Origin } from './journal-entry.ts';
import type { CommitDeps } from './send-commit.ts';

/** `commit` for work at a high rate, to a journal of its own. */
export interface CommitLanes {
  /**
   * As `commit`, with the same promise and errors; changes of one journal that come while others
   * are on their way are committed together. `isAgain` goes before all others: for a caller whose
   * change has lost to theirs, who would lose to newcomers for ever.
   * `Unavailable` when too many wait.
   */
  commit<T>(
    journal: string,
    origin: Origin,
    decide: () => Promise<Decision<T>>,
    options?: { readonly isAgain?: boolean | undefined },
  ): Promise<T>;
}

interface Waiting {
  readonly request: ChangeRequest<unknown>;
  readonly settle: (outcome: PromiseSettledResult<unknown>) => void;
}

const maxTogether = 20;
const maxWaiting = 10_000;

/**
 * One lane for each journal: what comes in one turn of the event loop, or while a transaction is on
 * its way, goes into the next one, so that a durable write is shared by all who wait for one, and
 * writers of one process never race for the head of a journal.
 */
export function commitLanes(deps: CommitDeps): CommitLanes {
  const lanes = new Map<string, Lane>();

  async function drive(journal: string, lane: Lane): Promise<void> {
    while (lane.length > 0) {
      // Those who have just been answered may have more, which is to go along.
      await endOfTurn();
      const batch = lane.take(maxTogether);
      const requests = batch.map(({ request }) => request);
      const outcomes = await commitTogether(deps, journal, requests);
      outcomes.forEach((outcome, place) => batch[place]?.settle(outcome));
    }
    lanes.delete(journal);
  }

  return {
    async commit<T>(
      journal: string,
      origin: Origin,
      decide: () => Promise<Decision<T>>,
      { isAgain = false }: { readonly isAgain?: boolean | undefined } = {},
    ) {
      const lane = lanes.get(journal) ?? new Lane();
      if (lane.length >= maxWaiting) throw new Unavailable('Too many changes wait to be written.');
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const settle: Waiting['settle'] = (outcome) => {
        if (outcome.status === 'fulfilled') resolve(outcome.value as T);
        else reject(outcome.reason as Error);
      };
      lane.add({ request: { origin, decide }, settle }, isAgain);
      if (!lanes.has(journal)) {
        lanes.set(journal, lane);
        void drive(journal, lane);
      }
      return promise;
    },
  };
}

/** Those who wait, in the order in which they are served. */
class Lane {
  readonly #again: Waiting[] = [];
  readonly #others: Waiting[] = [];

  get length(): number {
    return this.#again.length + this.#others.length;
  }

  add(waiting: Waiting, isAgain: boolean): void {
    (isAgain ? this.#again : this.#others).push(waiting);
  }

  take(count: number): Waiting[] {
    const first = this.#again.splice(0, count);
    return [...first, ...this.#others.splice(0, count - first.length)];
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
