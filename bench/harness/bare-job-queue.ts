import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type JobRound, type JobWork, runJobs } from './job-load.ts';
import { answerQuestions } from './program.ts';

/**
 * The limit of durable jobs: bare SQLite with group commit. All that is to be written in one turn
 * of the event loop shares a transaction, synced: jobs put in, claimed, and ended. No journal, no
 * events, no tenants, no retries.
 */
answerQuestions(async (question): Promise<JobWork> => {
  const round = question as JobRound;
  await mkdir(round.folder);
  using database = new DatabaseSync(join(round.folder, 'limit.sqlite'));
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE jobs (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, data TEXT NOT NULL) STRICT;
    CREATE INDEX waiting ON jobs (id) WHERE state = 0;
  `);
  const insert = database.prepare('INSERT INTO jobs (state, data) VALUES (0, ?)');
  const claim = database.prepare(`
    UPDATE jobs SET state = 1 WHERE id IN
      (SELECT id FROM jobs WHERE state = 0 ORDER BY id LIMIT ?) RETURNING id, data`);
  const end = database.prepare('UPDATE jobs SET state = 2 WHERE id = ?');
  const durably = groupCommits(database);
  let wake: () => void = () => undefined;
  return await runJobs(round, {
    enqueue: async (data) => {
      await durably(() => insert.run(data));
      wake();
    },
    work: async (ended, stop) => {
      let running = 0;
      const finish = async (row: Readonly<Record<string, unknown>>): Promise<void> => {
        await durably(() => end.run(Number(row['id'])));
        ended(String(row['data']));
      };
      stop.addEventListener('abort', () => wake());
      while (!stop.aborted) {
        const free = round.concurrency - running;
        const rows = free === 0 ? [] : await durably(() => claim.all(free));
        for (const row of rows) {
          running += 1;
          void finish(row).then(() => {
            running -= 1;
            return wake();
          });
        }
        if (rows.length === 0 && !stop.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  });
});

/** What is asked in one turn is done in one transaction; resolves when that is on the disk. */
function groupCommits(database: DatabaseSync): <T>(work: () => T) => Promise<T> {
  let waiting: (() => () => void)[] = [];
  const flush = (): void => {
    const group = waiting;
    waiting = [];
    database.exec('BEGIN IMMEDIATE');
    const settles = group.map((work) => work());
    database.exec('COMMIT');
    for (const settle of settles) settle();
  };
  return async <T>(work: () => T) =>
    new Promise<T>((resolve) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(() => {
        const result = work();
        return () => resolve(result);
      });
    });
}
