import type { RecordKey, RecordStore, StoredRecord } from '../../ports/record-store.ts';

/** A record that tells a cache how long it may be kept, and what it costs to keep. */
export interface CacheableRecord extends StoredRecord {
  /** Unix time in ms from which on it counts as absent. */
  readonly expiresAtMs: number | undefined;
  /** The length of its JSON text. */
  readonly sizeChars: number;
}

/** A store whose reads answer cacheable records. */
export interface CacheableRecords extends RecordStore {
  get(...args: Parameters<RecordStore['get']>): Promise<CacheableRecord | undefined>;
  getMany(keys: readonly RecordKey[]): Promise<(CacheableRecord | undefined)[]>;
}
