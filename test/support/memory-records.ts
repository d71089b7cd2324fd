import type { Json } from '../../src/core/values/json.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RecordKey, RecordQuery, RecordWrite } from '../../src/ports/record-store.ts';
import type {
  CacheableRecord,
  CacheableRecords,
} from '../../src/adapters/local/cacheable-records.ts';
import {
  checkKey,
  checkKeys,
  checkQuery,
  encodeCommit,
} from '../../src/adapters/runtime/record-limits.ts';

/**
 * The in-memory fake of the RecordStore. Values are frozen: who changes what was read finds out.
 * A commit repeated with its token answers `'conflict'`, the harder of the two for its caller.
 */
export function memoryRecords(clock: Pick<Clock, 'nowMs'>): CacheableRecords {
  return new MemoryRecords(clock);
}

class MemoryRecords implements CacheableRecords {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #partitions = new Map<string, Map<string, CacheableRecord>>();
  readonly #tokens = new Set<string>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  async get(key: RecordKey): Promise<CacheableRecord | undefined> {
    checkKey(key);
    return this.#find(key);
  }

  async getMany(keys: readonly RecordKey[]): Promise<(CacheableRecord | undefined)[]> {
    checkKeys(keys);
    return keys.map((key) => this.#find(key));
  }

  async query(query: RecordQuery): Promise<CacheableRecord[]> {
    checkQuery(query);
    const { partition, prefix = '', after, until } = query;
    const direction = query.order === 'desc' ? -1 : 1;
    const order = (a: string, b: string): number =>
      direction * Buffer.compare(Buffer.from(a), Buffer.from(b));
    return [...(this.#partitions.get(partition)?.keys() ?? [])]
      .filter((sort) => sort.startsWith(prefix))
      .filter((sort) => after === undefined || order(sort, after) > 0)
      .filter((sort) => until === undefined || order(sort, until) <= 0)
      .sort(order)
      .flatMap((sort) => this.#find({ partition, sort }) ?? [])
      .slice(0, query.limit);
  }

  async commit(writes: readonly RecordWrite[], token: string): Promise<'committed' | 'conflict'> {
    const values = encodeCommit(writes, token);
    const holds = ({ key, expect }: RecordWrite): boolean =>
      (this.#find(key)?.rev ?? 'absent') === expect;
    if (this.#tokens.has(token) || !writes.every(holds)) return 'conflict';
    this.#tokens.add(token);
    writes.forEach((write, i) => this.#apply(write, values[i] ?? null));
    return 'committed';
  }

  #find({ partition, sort }: RecordKey): CacheableRecord | undefined {
    const record = this.#partitions.get(partition)?.get(sort);
    return (record?.expiresAtMs ?? Infinity) > this.#clock.nowMs() ? record : undefined;
  }

  #apply(write: RecordWrite, text: string | null): void {
    const { partition, sort } = write.key;
    if (write.kind === 'delete') this.#partitions.get(partition)?.delete(sort);
    if (write.kind !== 'put' || text === null) return;
    const records = this.#partitions.get(partition) ?? new Map<string, CacheableRecord>();
    this.#partitions.set(partition, records);
    records.set(sort, {
      key: { partition, sort },
      value: frozen(JSON.parse(text)),
      rev: (this.#find(write.key)?.rev ?? 0) + 1,
      expiresAtMs: write.expiresAtMs,
      sizeChars: text.length,
    });
  }
}

function frozen(value: Json): Json {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach((inner: Json) => frozen(inner));
    Object.freeze(value);
  }
  return value;
}
