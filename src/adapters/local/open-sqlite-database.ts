import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isSqliteBusy } from './sqlite-errors.ts';
import { makeDurableFolder } from './make-durable-folder.ts';

export interface SqliteSchema {
  /** The `user_version` of the file. Raise it with every change of the tables, and migrate. */
  readonly version: number;
  readonly createTables: string;
  /**
   * `FULL`: each commit is on the disk before it returns. `NORMAL`: it survives the end of the
   * process, not the loss of power (https://www.sqlite.org/pragma.html#pragma_synchronous).
   */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** A power of two from 512; SQLite's 4096 unless given. A commit writes whole pages. */
  readonly pageSizeBytes?: number;
}

/**
 * Opens the database file, and makes it and its folder if need be.
 *
 * Until it is closed, or the process ends in whatever way, no other process can open it.
 * Errors: an `Error` whose message tells the operator what to do, when another process has the
 * folder, or a newer version of the software wrote it.
 */
export async function openSqliteDatabase(
  file: string,
  schema: SqliteSchema,
): Promise<DatabaseSync> {
  await makeDurableFolder(dirname(file));
  // SQLite would make the file readable by everybody; its log takes on the mode of the file.
  await (await open(file, 'a', 0o600)).close();
  const database = new DatabaseSync(file);
  try {
    takeOver(database, file, schema);
    return database;
  } catch (error) {
    database.close();
    if (!isSqliteBusy(error)) throw error;
    throw new Error(`the data folder ${dirname(file)} is in use by another process`, {
      cause: error,
    });
  }
}

function takeOver(database: DatabaseSync, file: string, schema: SqliteSchema): void {
  const { version, createTables, synchronous, pageSizeBytes = 4096 } = schema;
  // The order matters: nothing is written before the lock is held and the version known.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;');
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (found > version) {
    throw new Error(
      `the data folder ${dirname(file)} was written by a newer version of this software ` +
        `(schema ${found}; this one knows ${version}): run that version`,
    );
  }
  // The size of a page is fixed by the first that is written.
  database.exec(`PRAGMA page_size = ${pageSizeBytes};
    PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
  if (found === 0) {
    database.exec(`BEGIN IMMEDIATE; ${createTables} PRAGMA user_version = ${version}; COMMIT;`);
  }
}
