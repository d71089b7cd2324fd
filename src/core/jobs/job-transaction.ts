import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { getRecords, type KeyOf } from '../records.ts';
import type { Json } from '../values/json.ts';

/** What the completion of a job tells the world besides: `case.opened`. */
export interface JobEmission {
  /** `<thing>.<past tense>`: the type of the event. */
  readonly type: string;
  /** What it is about: `CASE-7`. */
  readonly subject: string;
  readonly data: Json;
}

/**
 * The transaction of one attempt: what a worker reads and wants written. All of it is committed
 * together with the job's completion, or none of it.
 *
 * What was read is checked when it commits: when somebody changed it meanwhile, the attempt begins
 * anew with a fresh transaction. So a repeat, or two workers at once, have their effect once.
 */
export interface JobTransaction {
  /** As the store has it, or as this transaction has put it. */
  get<V>(key: KeyOf<V>): Promise<V | undefined>;
  /** In one round trip. Read or written, a transaction touches at most 80 records. */
  getMany<V>(keys: readonly KeyOf<V>[]): Promise<(V | undefined)[]>;
  put<V>(key: KeyOf<V>, value: V, options?: { readonly expiresAtMs?: number }): Promise<void>;
  delete(key: KeyOf<unknown>): Promise<void>;
  /** At most 20 of at most 100 KiB together. Published when the job has completed. */
  emit(emission: JobEmission): void;
}

interface Intent {
  readonly value: unknown;
  readonly expiresAtMs: number | undefined;
}

const maxTouched = 80;
const maxEmissions = 20;

/** A `JobTransaction` that gathers, and tells what to commit. */
export class GatheringTransaction implements JobTransaction {
  readonly #deps: Pick<Deps, 'records'>;
  readonly #read = new Map<
    string,
    { key: KeyOf<unknown>; found: StoredRecord<unknown> | undefined }
  >();
  readonly #intents = new Map<string, Intent | 'delete'>();
  readonly emissions: JobEmission[] = [];

  constructor(deps: Pick<Deps, 'records'>) {
    this.#deps = deps;
  }

  async get<V>(key: KeyOf<V>): Promise<V | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany<V>(keys: readonly KeyOf<V>[]): Promise<(V | undefined)[]> {
    await this.#load(keys);
    return keys.map((key) => this.#seen(key) as V | undefined);
  }

  async put<V>(
    key: KeyOf<V>,
    value: V,
    { expiresAtMs }: { readonly expiresAtMs?: number } = {},
  ): Promise<void> {
    await this.#load([key]);
    this.#intents.set(nameOf(key), { value, expiresAtMs });
  }

  async delete(key: KeyOf<unknown>): Promise<void> {
    await this.#load([key]);
    this.#intents.set(nameOf(key), 'delete');
  }

  emit(emission: JobEmission): void {
    if (this.emissions.length >= maxEmissions) {
      throw new RangeError(`a job emits at most ${maxEmissions} events`);
    }
    this.emissions.push(emission);
  }

  /** The writes and checks of the commit. Without an intent to write, what was read binds nobody. */
  writes(): RecordWrite[] {
    if (this.#intents.size === 0) return [];
    return [...this.#read].flatMap(([name, { key, found }]): RecordWrite[] => {
      const intent = this.#intents.get(name);
      const expect = found?.rev ?? 'absent';
      if (intent === undefined) return [{ kind: 'check', key, expect }];
      if (intent !== 'delete') return [{ kind: 'put', key, ...intent, expect }];
      return expect === 'absent'
        ? [{ kind: 'check', key, expect }]
        : [{ kind: 'delete', key, expect }];
    });
  }

  /** Whether everything that the writes rest on still stands as it was. */
  async stillHolds(): Promise<boolean> {
    const read = [...this.#read.values()];
    if (this.#intents.size === 0) return true;
    const now = await this.#deps.records.getMany(read.map(({ key }) => key));
    return read.every(({ found }, place) => now[place]?.rev === found?.rev);
  }

  async #load(keys: readonly KeyOf<unknown>[]): Promise<void> {
    const missing = new Map(
      keys.filter((key) => !this.#read.has(nameOf(key))).map((key) => [nameOf(key), key]),
    );
    if (missing.size === 0) return;
    if (this.#read.size + missing.size > maxTouched) {
      throw new RangeError(`the transaction of a job touches at most ${maxTouched} records`);
    }
    const found = await getRecords(this.#deps, [...missing.values()]);
    [...missing].forEach(([name, key], place) => {
      this.#read.set(name, { key, found: found[place] });
    });
  }

  #seen(key: KeyOf<unknown>): unknown {
    const intent = this.#intents.get(nameOf(key));
    if (intent === 'delete') return undefined;
    return intent === undefined ? this.#read.get(nameOf(key))?.found?.value : intent.value;
  }
}

function nameOf({ partition, sort }: KeyOf<unknown>): string {
  return `${partition}\n${sort}`;
}
