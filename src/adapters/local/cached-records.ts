import { LRUCache } from 'lru-cache';
import type { Clock } from '../../ports/clock.ts';
import type { RecordKey, RecordStore, StoredRecord } from '../../ports/record-store.ts';
import { checkKeys } from '../runtime/record-limits.ts';
import type { CacheableRecord, CacheableRecords } from './cacheable-records.ts';

interface Entry {
  readonly record: StoredRecord | undefined;
  /** Made once, so that a hit allocates nothing. */
  readonly answer: Promise<StoredRecord | undefined>;
  readonly expiresAtMs: number;
}

export interface CachedRecords extends RecordStore {
  /** A record that is in memory, as `get` would answer it now: one look-up, no waiting. */
  peek(key: RecordKey): StoredRecord | undefined;
}

/** Key, entry, promise, and the links of the cache. */
const overheadBytes = 400;

/**
 * Answers `get` and `getMany` from memory; absence is remembered too.
 *
 * Coherent only where every commit to the store goes through this one object. Memory: about
 * `maxBytes`, by the length of keys and JSON texts; what was used longest ago goes first.
 */
export function cachedRecords(
  records: CacheableRecords,
  options: { readonly maxBytes: number; readonly clock: Pick<Clock, 'nowMs'> },
): CachedRecords {
  return new Cache(records, options);
}

class Cache implements CachedRecords {
  readonly #records: CacheableRecords;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #entries: LRUCache<string, Entry>;
  /** Rises when a commit begins and when it ends: what was read across such a moment is not kept. */
  #epoch = 0;

  constructor(
    records: CacheableRecords,
    options: { readonly maxBytes: number; readonly clock: Pick<Clock, 'nowMs'> },
  ) {
    this.#records = records;
    this.#clock = options.clock;
    this.#entries = new LRUCache({ maxSize: options.maxBytes });
  }

  peek(key: RecordKey): StoredRecord | undefined {
    return this.#find(idOf(key))?.record;
  }

  get(key: RecordKey): Promise<StoredRecord | undefined> {
    const id = idOf(key);
    return this.#find(id)?.answer ?? this.#load(id, key);
  }

  async getMany(keys: readonly RecordKey[]): Promise<(StoredRecord | undefined)[]> {
    checkKeys(keys);
    const entries = keys.map((key) => this.#find(idOf(key)));
    const missing = keys.filter((_, i) => entries[i] === undefined);
    if (missing.length === 0) return entries.map((entry) => entry?.record);
    const epoch = this.#epoch;
    const loaded = (await this.#records.getMany(missing)).values();
    return keys.map((key, i) => {
      const entry = entries[i];
      if (entry !== undefined) return entry.record;
      const record = loaded.next().value;
      this.#keep(idOf(key), record, epoch);
      return record;
    });
  }

  query(...args: Parameters<RecordStore['query']>): ReturnType<RecordStore['query']> {
    return this.#records.query(...args);
  }

  async commit(
    ...[writes, token]: Parameters<RecordStore['commit']>
  ): Promise<'committed' | 'conflict'> {
    const changed = writes.filter((write) => write.kind !== 'check').map(({ key }) => idOf(key));
    this.#forget(changed);
    try {
      return await this.#records.commit(writes, token);
    } finally {
      // Again, for what was read while the commit was on its way. Also after an error: it may
      // have happened.
      this.#forget(changed);
    }
  }

  #find(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expiresAtMs === Infinity) return entry;
    if (entry.expiresAtMs > this.#clock.nowMs()) return entry;
    this.#entries.delete(id);
    return undefined;
  }

  async #load(id: string, key: RecordKey): Promise<StoredRecord | undefined> {
    const epoch = this.#epoch;
    const record = await this.#records.get(key);
    this.#keep(id, record, epoch);
    return record;
  }

  #keep(id: string, record: CacheableRecord | undefined, epoch: number): void {
    if (epoch !== this.#epoch) return;
    const entry = {
      record,
      answer: Promise.resolve(record),
      expiresAtMs: record?.expiresAtMs ?? Infinity,
    };
    // Parsed, a value takes about twice the room of its text.
    const size = overheadBytes + id.length + 2 * (record?.sizeChars ?? 0);
    this.#entries.set(id, entry, { size });
  }

  #forget(ids: readonly string[]): void {
    this.#epoch++;
    for (const id of ids) this.#entries.delete(id);
  }
}

/** Keys hold no control character, so no two have the same id. */
function idOf(key: RecordKey): string {
  return `${key.partition}\n${key.sort}`;
}
