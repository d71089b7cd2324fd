import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { answerQuestions } from './program.ts';
import { runFor, type Work } from './run-for.ts';

/** What a durable publish cannot do without. */
export interface DurableWrites {
  /** A new one, on the disk that is measured. */
  readonly folder: string;
  readonly writers: number;
  readonly seconds: number;
}

const text = 'x'.repeat(1024);

/** The limit of a publish: 1 KB in a file of its own, synced, then 1 KB in a transaction, synced. */
answerQuestions(async (question): Promise<Work> => {
  const { folder, writers, seconds } = question as DurableWrites;
  await mkdir(folder);
  using database = new DatabaseSync(join(folder, 'limit.sqlite'));
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
  `);
  const insert = database.prepare('INSERT INTO records VALUES (?, ?)');
  return await runFor(seconds, writers, async (writer, count) => {
    const name = `${writer}-${count}`;
    const file = await open(join(folder, name), 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await file.close();
    // A statement on its own is a transaction.
    insert.run(name, text);
  });
});
