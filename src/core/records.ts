import type { RecordKey, RecordQuery, RecordStore, StoredRecord } from '../ports/record-store.ts';

declare const held: unique symbol;

/** A key that says what its record holds. */
export interface KeyOf<V> extends RecordKey {
  readonly [held]?: V;
}

type ValueOf<K> = K extends KeyOf<infer V> ? V : never;
type Reads = { readonly records: RecordStore };

// The one place where stored JSON gets its type back: `commit` alone writes records, each under a
// key of the type it was made for.

export function getRecord<V>(
  deps: Reads,
  key: KeyOf<V>,
  options?: Parameters<RecordStore['get']>[1],
): Promise<StoredRecord<V> | undefined> {
  return deps.records.get(key, options) as Promise<StoredRecord<V> | undefined>;
}

/** A record that is in memory; undefined says nothing about the store. */
export function peekRecord<V>(
  deps: { readonly records: { peek(key: RecordKey): StoredRecord | undefined } },
  key: KeyOf<V>,
): StoredRecord<V> | undefined {
  return deps.records.peek(key) as StoredRecord<V> | undefined;
}

export function getRecords<const K extends readonly KeyOf<unknown>[]>(
  deps: Reads,
  keys: K,
): Promise<{ [I in keyof K]: StoredRecord<ValueOf<K[I]>> | undefined }> {
  return deps.records.getMany(keys) as ReturnType<typeof getRecords<K>>;
}

/** The caller names what the records of the partition and prefix hold. */
export function queryRecords<V>(deps: Reads, query: RecordQuery): Promise<StoredRecord<V>[]> {
  return deps.records.query(query) as Promise<StoredRecord<V>[]>;
}
