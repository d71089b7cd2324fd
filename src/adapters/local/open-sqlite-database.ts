import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isSqliteBusy } from './sqlite-errors.ts';
import { makeDurableFolder } from './make-durable-folder.ts';

/** The `user_version` of the file. Raise it with every change of the tables, and migrate. */
const schemaVersion = 1;

const createTables = `
  CREATE TABLE records (
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    rev INTEGER NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (partition, sort)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Opens the database file, and makes it and its folder if need be.
 *
 * Until it is closed, or the process ends in whatever way, no other process can open it.
 * Errors: an `Error` whose message tells the operator what to do, when another process has the
 * folder, or a newer version of the software wrote it.
 */
export async function openSqliteDatabase(file: string): Promise<DatabaseSync> {
  await makeDurableFolder(dirname(file));
  // SQLite would make the file readable by everybody; its log takes on the mode of the file.
  await (await open(file, 'a', 0o600)).close();
  const database = new DatabaseSync(file);
  try {
    takeOver(database, file);
    return database;
  } catch (error) {
    database.close();
    if (!isSqliteBusy(error)) throw error;
    throw new Error(`the data folder ${dirname(file)} is in use by another process`, {
      cause: error,
    });
  }
}

function takeOver(database: DatabaseSync, file: string): void {
  // The order matters: nothing is written before the lock is held and the version known.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;');
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (found > schemaVersion) {
    throw new Error(
      `the data folder ${dirname(file)} was written by a newer version of this software ` +
        `(schema ${found}; this one knows ${schemaVersion}): run that version`,
    );
  }
  // FULL: each commit is on the disk before it returns (https://www.sqlite.org/pragma.html#pragma_synchronous).
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  if (found === 0) database.exec(`BEGIN IMMEDIATE; ${createTables} COMMIT;`);
}
