import type { BatchResult, Flips, NamedScenario, NamedScenarios } from './batch-result.ts';
import { simulationLimits } from './simulation-limits.ts';

const { maxNamed } = simulationLimits;

type Counts = Omit<BatchResult, 'suite' | 'from' | 'to'>;

/** Adds up scenarios, or whole batches: the sum of the parts is the same as of the whole. */
export class Tally {
  #replayed = 0;
  #adapted = 0;
  readonly #flips = new Map<string, Flips>();
  readonly #protectedFlips = new NameList();
  readonly #unreplayable = new NameList();
  readonly #unadapted = new NameList();

  replayedOne(adapted: boolean): void {
    this.#replayed += 1;
    if (adapted) this.#adapted += 1;
  }

  flipped(flips: Flips): void {
    const key = JSON.stringify([flips.cohort, flips.from, flips.to]);
    const known = this.#flips.get(key);
    this.#flips.set(key, {
      ...flips,
      count: flips.count + (known?.count ?? 0),
      scenarios: [...(known?.scenarios ?? []), ...flips.scenarios].slice(0, maxNamed),
    });
  }

  flippedProtected(scenario: NamedScenario): void {
    this.#protectedFlips.add({ count: 1, named: [scenario] });
  }

  notReplayed(scenario: NamedScenario): void {
    this.#unreplayable.add({ count: 1, named: [scenario] });
  }

  notAdapted(scenario: NamedScenario): void {
    this.#unadapted.add({ count: 1, named: [scenario] });
  }

  add(batch: BatchResult): void {
    this.#replayed += batch.replayed;
    this.#adapted += batch.adapted;
    for (const flips of batch.flips) this.flipped(flips);
    this.#protectedFlips.add(batch.protectedFlips);
    this.#unreplayable.add(batch.unreplayable);
    this.#unadapted.add(batch.unadapted);
  }

  counts(): Counts {
    return {
      replayed: this.#replayed,
      adapted: this.#adapted,
      flips: [...this.#flips.values()],
      protectedFlips: this.#protectedFlips.list(),
      unreplayable: this.#unreplayable.list(),
      unadapted: this.#unadapted.list(),
    };
  }
}

class NameList {
  #count = 0;
  readonly #named: NamedScenario[] = [];

  add({ count, named }: NamedScenarios): void {
    this.#count += count;
    this.#named.push(...named.slice(0, maxNamed - this.#named.length));
  }

  list(): NamedScenarios {
    return { count: this.#count, named: [...this.#named] };
  }
}
