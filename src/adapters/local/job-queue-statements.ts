import type { DatabaseSync } from 'node:sqlite';
import type { SqliteSchema } from './open-sqlite-database.ts';

/** On the disk is which jobs there are, in one table without an index: a send writes one page. */
export const jobQueueSchema: SqliteSchema = {
  version: 1,
  createTables: `
    CREATE TABLE jobs (
      seq INTEGER PRIMARY KEY,
      type TEXT NOT NULL,
      rank INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      id TEXT NOT NULL,
      not_before INTEGER NOT NULL
    ) STRICT;`,
  synchronous: 'NORMAL',
  pageSizeBytes: 1024,
};

/**
 * In memory is whose turn it is: a row for each job, with the number of the turn that it has or had
 * last. Triggers keep it in step, within the statement that changes `jobs`.
 *
 * A job that was sent while it had its turn is there twice; of those one waits, since no turn is left.
 * No TEMP table: each commit of one takes longer the more jobs there are.
 */
const createTurns = `
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA temp_store = MEMORY;
  ATTACH ':memory:' AS memory;
  CREATE TABLE memory.turns (
    seq INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    rank INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    turn INTEGER
  ) STRICT;
  DELETE FROM main.jobs WHERE seq NOT IN (SELECT min(seq) FROM main.jobs GROUP BY tenant, id);
  INSERT INTO turns SELECT seq, type, rank, tenant, id, not_before, NULL FROM main.jobs;
  CREATE INDEX memory.turns_in_order ON turns (type, rank, tenant, visible_at);
  CREATE INDEX memory.turns_by_time ON turns (type, visible_at);
  CREATE UNIQUE INDEX memory.turns_waiting ON turns (tenant, id) WHERE turn IS NULL;
  CREATE TEMP TRIGGER turn_of_new_job AFTER INSERT ON main.jobs BEGIN
    INSERT INTO turns (seq, type, rank, tenant, id, visible_at)
    VALUES (new.seq, new.type, new.rank, new.tenant, new.id, new.not_before);
  END;
  CREATE TEMP TRIGGER turn_of_old_job AFTER DELETE ON main.jobs BEGIN
    DELETE FROM turns WHERE seq = old.seq;
  END;
`;

export type JobQueueStatements = ReturnType<typeof prepareJobQueueStatements>;

/** Begins with every job waiting, and prepares every statement of the queue once. */
export function prepareJobQueueStatements(database: DatabaseSync) {
  database.exec(createTurns);
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    /** type, rank, tenant, id, not before: nothing for a job that waits already. */
    insert: database.prepare(`
      INSERT INTO main.jobs (type, rank, tenant, id, not_before)
      SELECT ?1, ?2, ?3, ?4, ?5
      WHERE NOT EXISTS (SELECT 1 FROM turns WHERE tenant = ?3 AND id = ?4 AND turn IS NULL)`),
    /** type, rank, tenant: the next one in the lane, whatever number of jobs lies in between. */
    nextTenant: database.prepare(`
      SELECT min(tenant) AS tenant FROM turns WHERE type = ? AND rank = ? AND tenant > ?`),
    /** visible at, turn, type, rank, tenant, now */
    claim: database.prepare(`
      UPDATE turns SET visible_at = ?1, turn = ?2
      WHERE seq = (
        SELECT seq FROM turns
        WHERE type = ?3 AND rank = ?4 AND tenant = ?5 AND visible_at <= ?6
        ORDER BY visible_at, seq LIMIT 1)
      RETURNING seq, id`),
    /** type */
    nextVisible: database.prepare('SELECT min(visible_at) AS at FROM turns WHERE type = ?'),
    /** visible at, seq, turn */
    hide: database.prepare('UPDATE turns SET visible_at = ? WHERE seq = ? AND turn = ?'),
    /** seq, turn */
    remove: database.prepare(`
      DELETE FROM main.jobs WHERE seq = (SELECT seq FROM turns WHERE seq = ? AND turn = ?)`),
  };
}
