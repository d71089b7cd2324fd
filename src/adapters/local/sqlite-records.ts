import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Json } from '../../core/values/json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordKey, RecordQuery, RecordWrite } from '../../ports/record-store.ts';
import { checkKey, checkKeys, checkQuery, encodeCommit } from '../runtime/record-limits.ts';
import type { CacheableRecord, CacheableRecords } from './cacheable-records.ts';
import { openSqliteDatabase } from './open-sqlite-database.ts';
import { SharedTransactions } from './shared-transactions.ts';
import { translateSqliteError } from './sqlite-errors.ts';
import {
  prepareSqliteStatements,
  recordSchema,
  type SqliteStatements,
} from './sqlite-statements.ts';

export interface SqliteRecords extends CacheableRecords {
  /** Lets go of the file. Whatever is called afterwards fails. */
  close(): void;
}

type NowMs = Pick<Clock, 'nowMs'>;
type Row = Readonly<Record<string, SQLOutputValue>>;

/** Longer than any key, and made of the greatest character: what begins with a key ends before it. */
const beyond = '\u{10FFFF}'.repeat(257);
/** Keys hold no control character: nothing lies between a key and the key with this behind it. */
const next = '\u0001';
const rememberedTokens = 10_000;
const service = 'The record store';

/**
 * A RecordStore in one SQLite file. Errors on opening: see `openSqliteDatabase`.
 *
 * The last 10 000 tokens are remembered as long as the process lives; what keeps an older commit
 * from being done twice is its expectations alone.
 */
export async function openSqliteRecords(options: {
  readonly file: string;
  readonly clock: NowMs;
}): Promise<SqliteRecords> {
  const database = await openSqliteDatabase(options.file, recordSchema);
  return new OpenRecords(database, prepareSqliteStatements(database), options.clock);
}

class OpenRecords implements SqliteRecords {
  readonly #database: DatabaseSync;
  readonly #sql: SqliteStatements;
  readonly #clock: NowMs;
  readonly #transactions: SharedTransactions;
  readonly #tokens = new Set<string>();

  constructor(database: DatabaseSync, sql: SqliteStatements, clock: NowMs) {
    this.#database = database;
    this.#sql = sql;
    this.#clock = clock;
    this.#transactions = new SharedTransactions(database, () => sql.purge.run(clock.nowMs()));
  }

  async get(key: RecordKey): Promise<CacheableRecord | undefined> {
    checkKey(key);
    return translating(() => this.#read(key, this.#clock.nowMs()));
  }

  async getMany(keys: readonly RecordKey[]): Promise<(CacheableRecord | undefined)[]> {
    checkKeys(keys);
    const now = this.#clock.nowMs();
    return translating(() => keys.map((key) => this.#read(key, now)));
  }

  async query(query: RecordQuery): Promise<CacheableRecord[]> {
    checkQuery(query);
    const { partition, prefix = '', order, limit } = query;
    const { low, high } = bounds(query);
    const now = this.#clock.nowMs();
    const statement = order === 'desc' ? this.#sql.descending : this.#sql.ascending;
    const rows = translating(() =>
      statement.all(partition, prefix, low, prefix + beyond, high, now, limit),
    );
    return rows.map((row) => toRecord({ partition, sort: String(row['sort']) }, row));
  }

  async commit(writes: readonly RecordWrite[], token: string): Promise<'committed' | 'conflict'> {
    const values = encodeCommit(writes, token);
    try {
      const isDone = await this.#transactions.run(() => {
        if (this.#tokens.has(token)) return false;
        const now = this.#clock.nowMs();
        return writes.every((write, i) => this.#apply(write, values[i] ?? null, now));
      });
      if (isDone) this.#remember(token);
      return isDone ? 'committed' : 'conflict';
    } catch (error) {
      throw translateSqliteError(error, service);
    }
  }

  close(): void {
    this.#database.close();
  }

  #read(key: RecordKey, now: number): CacheableRecord | undefined {
    const row = this.#sql.get.get(key.partition, key.sort, now);
    return row === undefined ? undefined : toRecord(key, row);
  }

  /** Whether the expectation held, and so the write was done. */
  #apply(write: RecordWrite, value: string | null, now: number): boolean {
    const { partition, sort } = write.key;
    if (write.kind === 'check') {
      const rev = this.#sql.revOf.get(partition, sort, now)?.['rev'] ?? 'absent';
      return rev === write.expect;
    }
    if (write.kind === 'delete') {
      return this.#sql.remove.run(partition, sort, write.expect, now).changes === 1;
    }
    const expiry = write.expiresAtMs ?? null;
    const { changes } =
      write.expect === 'absent'
        ? this.#sql.insert.run(partition, sort, value, expiry, now)
        : this.#sql.update.run(value, expiry, partition, sort, write.expect, now);
    return changes === 1;
  }

  #remember(token: string): void {
    this.#tokens.add(token);
    if (this.#tokens.size <= rememberedTokens) return;
    const [oldest] = this.#tokens;
    if (oldest !== undefined) this.#tokens.delete(oldest);
  }
}

/** Beside the prefix: the least key, and the least text that is too great. */
function bounds({ after, until, order }: RecordQuery): { low: string; high: string } {
  if (order === 'desc') return { low: until ?? '', high: after ?? beyond };
  return {
    low: after === undefined ? '' : after + next,
    high: until === undefined ? beyond : until + next,
  };
}

function toRecord(key: RecordKey, row: Row): CacheableRecord {
  const { rev, value: text, expires_at: expiresAt } = row;
  if (typeof rev !== 'number' || typeof text !== 'string') {
    throw new TypeError('a row of the table records without rev or value');
  }
  const value: Json = JSON.parse(text);
  const expiresAtMs = typeof expiresAt === 'number' ? expiresAt : undefined;
  return { key, value, rev, expiresAtMs, sizeChars: text.length };
}

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(error, service);
  }
}
