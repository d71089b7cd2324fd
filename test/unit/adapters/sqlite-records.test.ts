import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { translateSqliteError } from '../../../src/adapters/local/sqlite-errors.ts';
import { openSqliteRecords } from '../../../src/adapters/local/sqlite-records.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { RecordStore, RecordWrite } from '../../../src/ports/record-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startScript } from '../../support/start-script.ts';

const script = new URL('../../support/commit-until-killed.ts', import.meta.url);

describe('openSqliteRecords', () => {
  const clock = new ManualClock();
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hms-sqlite-'));
    file = join(folder, 'data', 'hms.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = (sort: string, expiresAtMs?: number): RecordWrite => ({
    kind: 'put',
    key: { partition: 'p', sort },
    value: sort,
    expect: 'absent',
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  });
  const sorts = async (records: RecordStore): Promise<string[]> =>
    (await records.query({ partition: 'p', limit: 1000 })).map(({ key }) => key.sort);
  const raw = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };

  it('keeps records over close and open, and begins no token again', async () => {
    const first = await openSqliteRecords({ file, clock });
    await first.commit([put('a'), put('b', clock.nowMs() + 1000)], 't1');
    first.close();
    const second = await openSqliteRecords({ file, clock });
    expect(await sorts(second)).toEqual(['a', 'b']);
    expect(await second.commit([put('a')], 't1')).toBe('conflict');
    second.close();
  });

  it('loses nothing that it acknowledged, and halves nothing, when killed', async () => {
    let before = 0;
    for (let round = 0; round < 10; round++) {
      const running = await startScript(script, file);
      await setTimeout(5 * round);
      const acknowledged = Number((await running.kill()).at(-1));
      expect(acknowledged).toBeGreaterThan(before);
      const records = await openSqliteRecords({ file, clock });
      const counter = await records.get({ partition: 'p', sort: 'counter' });
      records.close();
      const rev = counter?.rev ?? 0;
      expect(counter?.value).toBe(rev);
      // The last commit may have been done and its acknowledgement lost.
      expect([acknowledged, acknowledged + 1]).toContain(rev);
      const entries = raw((database) =>
        database
          .prepare("SELECT count(*) AS n, max(sort) AS last FROM records WHERE sort > 'e'")
          .get(),
      );
      expect({ ...entries }).toEqual({ n: rev, last: `entry/${String(rev).padStart(9, '0')}` });
      before = rev;
    }
  });

  it('refuses a folder that another process has, and takes it when that is killed', async () => {
    const other = await startScript(script, file);
    await expect(openSqliteRecords({ file, clock })).rejects.toMatchObject({
      name: 'Error',
      message: `the data folder ${join(folder, 'data')} is in use by another process`,
    });
    expect((await other.kill()).length).toBeGreaterThan(0);
    (await openSqliteRecords({ file, clock })).close();
  });

  it('refuses a folder that this process has, and stays usable', async () => {
    const records = await openSqliteRecords({ file, clock });
    await expect(openSqliteRecords({ file, clock })).rejects.toThrow('in use by another process');
    expect(await records.commit([put('a')], 't1')).toBe('committed');
    records.close();
  });

  it('lets one of several win that open a new folder at once', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () => openSqliteRecords({ file, clock })),
    );
    const open = attempts.flatMap((attempt) =>
      attempt.status === 'fulfilled' ? [attempt.value] : [],
    );
    expect(open).toHaveLength(1);
    expect(await open[0]?.commit([put('a')], 't1')).toBe('committed');
    open[0]?.close();
  });

  it('refuses what a newer version wrote, and changes nothing in it', async () => {
    (await openSqliteRecords({ file, clock })).close();
    raw((database) => database.exec('PRAGMA user_version = 2'));
    await expect(openSqliteRecords({ file, clock })).rejects.toThrow(
      /written by a newer version of this software \(schema 2; this one knows 1\)/,
    );
    expect({ ...raw((database) => database.prepare('PRAGMA user_version').get()) }).toEqual({
      user_version: 2,
    });
  });

  it('refuses a file that is no database', async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(file, 'not a database, but long enough to look at it as one'.repeat(100));
    await expect(openSqliteRecords({ file, clock })).rejects.toThrow('not a database');
  });

  it('lets nobody else read the files', async () => {
    const records = await openSqliteRecords({ file, clock });
    await records.commit([put('a')], 't1');
    const modes = await Promise.all(
      [join(folder, 'data'), file, `${file}-wal`].map(
        async (path) => (await stat(path)).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    records.close();
  });

  it('removes what has expired, up to 100 records in a commit', async () => {
    const records = await openSqliteRecords({ file, clock });
    for (const batch of [1, 2, 3]) {
      const writes = Array.from({ length: 100 }, (_, i) => put(`${batch}/${i}`, clock.nowMs() + 1));
      await records.commit(writes, `t${batch}`);
    }
    clock.set(clock.nowMs() + 1);
    await records.commit([put('a')], 'ta');
    await records.commit([put('b')], 'tb');
    records.close();
    const left = raw((database) => database.prepare('SELECT count(*) AS n FROM records').get());
    expect({ ...left }).toEqual({ n: 102 });
  });
});

describe('translateSqliteError', () => {
  const failure = (sql: string): unknown => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE t (a TEXT NOT NULL) STRICT; PRAGMA max_page_count = 2;');
    try {
      database.exec(sql);
    } catch (error) {
      return error;
    } finally {
      database.close();
    }
    throw new Error('nothing failed');
  };

  it('says that the store did not answer when the disk is full', () => {
    const error = failure('INSERT INTO t VALUES (hex(zeroblob(100000)))');
    expect(translateSqliteError(error, 'The record store')).toBeInstanceOf(Unavailable);
    expect(translateSqliteError(error, 'The record store')).toMatchObject({
      cause: error,
      retryable: true,
    });
  });

  it('knows an extended code, such as of a failed sync', () => {
    const error = Object.assign(new Error('disk I/O error'), { errcode: 1034 });
    expect(translateSqliteError(error, 'The record store')).toBeInstanceOf(Unavailable);
  });

  it.each(['INSERT INTO t VALUES (NULL)', 'SELECT * FROM none', 'SELEKT'])(
    'passes a defect as it came: %s',
    (sql) => {
      const error = failure(sql);
      expect(translateSqliteError(error, 'The record store')).toBe(error);
    },
  );

  it('passes what SQLite did not throw', () => {
    for (const error of [new TypeError('x'), { errcode: 13 }, 'text', undefined]) {
      expect(translateSqliteError(error, 'The record store')).toBe(error);
    }
  });
});
