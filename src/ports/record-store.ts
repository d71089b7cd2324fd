import type { Json } from '../core/values/json.ts';

/**
 * Where a record lives. Records of one partition are ordered by `sort`, as UTF-8 bytes.
 * Both parts are 1 to 1024 bytes of UTF-8; neither holds a control character.
 */
export interface RecordKey {
  readonly partition: string;
  readonly sort: string;
}

/** A record as read. Its value is shared: never change it in place. */
export interface StoredRecord<V = Json> {
  readonly key: RecordKey;
  readonly value: V;
  /**
   * 1 for a new record, then one more with each put. A record that was deleted, or has expired,
   * begins at 1 again: who must tell the old from the new puts an id into the value.
   */
  readonly rev: number;
}

/** What a write takes for granted: that there is no record, or that it has this `rev`. */
export type Expectation = 'absent' | number;

export type RecordWrite =
  | {
      readonly kind: 'put';
      readonly key: RecordKey;
      /** At most 350 KiB as JSON in UTF-8. */
      readonly value: unknown;
      readonly expect: Expectation;
      /**
       * Unix time in whole ms from which on the record counts as absent; removal comes later, by
       * itself. A put without it makes the record last.
       */
      readonly expiresAtMs?: number;
    }
  | { readonly kind: 'delete'; readonly key: RecordKey; readonly expect: number }
  /** Writes nothing, but the commit fails unless it holds. */
  | { readonly kind: 'check'; readonly key: RecordKey; readonly expect: Expectation };

export interface RecordQuery {
  readonly partition: string;
  /** Only keys whose `sort` begins with it. */
  readonly prefix?: string;
  /** Exclusive: only keys that come after it in `order`. It need not exist: a cursor. */
  readonly after?: string;
  /** Inclusive: no key that comes beyond it in `order`. */
  readonly until?: string;
  readonly order?: 'asc' | 'desc';
  /** 1 to 1000. */
  readonly limit: number;
}

/**
 * Records, in partitions, changed by sets of conditional writes.
 *
 * Durability: what `commit` acknowledged survives `kill -9` and loss of power.
 * Isolation: a commit is seen whole or not at all. Separate reads are not one snapshot;
 * a decision is safe when every record it rests on is written or checked in its commit.
 * Errors: `Unavailable` when the store did not answer; after it, a commit may or may not
 * have happened. Any other failure is a defect and is thrown as it came.
 */
export interface RecordStore {
  /**
   * One read. `eventual` may miss the last moments, and costs half where reads are billed.
   * Without it, every commit acknowledged before the call is seen.
   */
  get(
    key: RecordKey,
    options?: { readonly consistency?: 'strong' | 'eventual' },
  ): Promise<StoredRecord | undefined>;

  /**
   * Up to 100 distinct keys in one round trip, answered in the order asked. Each read is strongly
   * consistent; together they are no snapshot.
   */
  getMany(keys: readonly RecordKey[]): Promise<(StoredRecord | undefined)[]>;

  /** Strongly consistent. Fewer records than `limit` means that there are no more. */
  query(query: RecordQuery): Promise<StoredRecord[]>;

  /**
   * All of the writes (1 to 100, distinct keys, 3.5 MiB together) or none of them.
   * `'conflict'`: an expectation did not hold, or another commit was in the way; this call wrote
   * nothing.
   * Repeating a commit with the same token never writes twice: it answers `'committed'`
   * or, since its own writes are now in the way, `'conflict'`.
   */
  commit(writes: readonly RecordWrite[], token: string): Promise<'committed' | 'conflict'>;
}
