import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  jobQueueSchema,
  prepareJobQueueStatements,
} from '../../../src/adapters/local/job-queue-statements.ts';
import { openSqliteJobQueue } from '../../../src/adapters/local/sqlite-job-queue.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { JobQueue, QueuedJob } from '../../../src/ports/job-queue.ts';
import { expectDefect } from '../../support/expect-defect.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startScript } from '../../support/start-script.ts';

const script = new URL('../../support/queue-until-killed.ts', import.meta.url);
const wish = { max: 10, hideMs: 60_000, waitMs: 0 };

/** Counts how often somebody went to sleep. */
class CountingClock extends ManualClock {
  sleeps = 0;

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps++;
    return super.sleep(ms, signal);
  }
}

describe('openSqliteJobQueue', () => {
  let clock: CountingClock;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    clock = new CountingClock();
    folder = await mkdtemp(join(tmpdir(), 'hms-jobs-'));
    file = join(folder, 'data', 'jobs.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = () => openSqliteJobQueue({ file, clock });
  const job = (id: string, change: Partial<QueuedJob> = {}): QueuedJob => ({
    tenant: 'demo',
    type: 't',
    id,
    priority: 'normal',
    notBeforeMs: clock.nowMs(),
    ...change,
  });
  const drain = async (queue: JobQueue): Promise<string[]> => {
    const ids: string[] = [];
    for (let turns; (turns = await queue.receive('t', wish)).length > 0;) {
      ids.push(...turns.map(({ id }) => id));
    }
    return ids;
  };

  it('keeps jobs, their order and their time over close and open', async () => {
    const first = await open();
    await first.send([job('1'), job('2', { priority: 'high' }), job('3')]);
    await first.send([job('later', { notBeforeMs: clock.nowMs() + 5000 })]);
    first.close();
    const second = await open();
    expect(await drain(second)).toEqual(['2', '1', '3']);
    clock.set(clock.nowMs() + 5000);
    expect(await drain(second)).toEqual(['later']);
    second.close();
  });

  it('ends all turns when it is opened again, and no receipt of before is good', async () => {
    const first = await open();
    await first.send([job('1'), job('2')]);
    const [one, two] = await first.receive('t', wish);
    await first.hide(one!, 3_600_000);
    await first.remove(two!);
    first.close();
    const second = await open();
    const [again] = await second.receive('t', wish);
    expect(again?.id).toBe('1');
    expect(await second.receive('t', wish)).toEqual([]);
    expect(await second.hide(one!, 0)).toBe('gone');
    await second.remove(one!);
    expect(await second.hide(again!, 0)).toBe('hidden');
    expect(await drain(second)).toEqual(['1']);
    second.close();
  });

  it('knows a turn by its job and its number, and no other', async () => {
    const queue = await open();
    await queue.send([job('1'), job('2')]);
    const [one, two] = await queue.receive('t', wish);
    const [seq, turn] = one!.receipt.split('-').map(Number);
    const [, turnOfTwo] = two!.receipt.split('-');
    const forged = [
      `${seq}-${turn! + 1}`,
      `${seq}-${turn! - 1}`,
      `${seq}-${turnOfTwo}`,
      `${seq! + 7}-${turn}`,
    ];
    for (const receipt of forged) {
      expect(await queue.hide({ ...one!, receipt }, 0)).toBe('gone');
      await queue.remove({ ...one!, receipt });
    }
    expect(await queue.hide(one!, 0)).toBe('hidden');
    expect(await drain(queue)).toEqual(['1']);
    queue.close();
  });

  it('has a job once, opened again, that was sent again and again during its turns', async () => {
    const first = await open();
    for (let i = 0; i < 3; i++) {
      await first.send([job('1'), job('1', { tenant: 'other' })]);
      expect(await first.receive('t', wish)).toHaveLength(2);
    }
    first.close();
    const second = await open();
    const turns = await second.receive('t', wish);
    expect(turns.map(({ tenant }) => tenant)).toEqual(['demo', 'other']);
    for (const turn of turns) await second.remove(turn);
    second.close();
    const third = await open();
    expect(await third.receive('t', wish)).toEqual([]);
    third.close();
  });

  it('loses nothing that it acknowledged, and removes for good, when killed', async () => {
    const mustBe = new Set<string>();
    const mayBe = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const running = await startScript(script, file, String(1 + round * 1_000_000));
      await setTimeout(10 * round);
      const lines = await running.kill();
      for (const [what, id = ''] of lines.map((line) => line.split(' '))) {
        if (what === 'send') mayBe.add(id);
        if (what === 'sent') mustBe.add(id);
        if (what === 'remove') mustBe.delete(id);
        if (what === 'removed') mayBe.delete(id);
      }
      clock.set(Date.now());
      const queue = await open();
      const found = new Set(await drain(queue));
      queue.close();
      expect([...mustBe].filter((id) => !found.has(id))).toEqual([]);
      expect([...found].filter((id) => !mayBe.has(id))).toEqual([]);
    }
    expect(mustBe.size).toBeGreaterThan(6);
  });

  it('refuses a folder that another process has, and takes it when that is killed', async () => {
    const other = await startScript(script, file);
    await expect(open()).rejects.toThrow(`${join(folder, 'data')} is in use by another process`);
    await other.kill();
    (await open()).close();
  });

  it('refuses what a newer version wrote', async () => {
    (await open()).close();
    const raw = new DatabaseSync(file);
    raw.exec('PRAGMA user_version = 2');
    raw.close();
    await expect(open()).rejects.toThrow('schema 2; this one knows 1');
  });

  it('lets nobody starve behind 10 000 jobs', async () => {
    const queue = await open();
    for (let i = 0; i < 10_000; i += 100) {
      await queue.send(Array.from({ length: 100 }, (_, n) => job(`flood-${i + n}`)));
    }
    await queue.send([job('small', { tenant: 'small' })]);
    const turns = await queue.receive('t', { ...wish, max: 2 });
    expect(turns.map(({ id }) => id)).toEqual(['flood-0', 'small']);
    queue.close();
  });

  it('sleeps for the next job and for the end of the wait, and no more often', async () => {
    const queue = await open();
    await queue.send([job('later', { notBeforeMs: clock.nowMs() + 3_600_000 })]);
    const waiting = queue.receive('t', { ...wish, waitMs: 20_000 });
    await clock.advance(19_000);
    expect([clock.sleeps, clock.sleeping]).toEqual([2, 2]);
    await clock.advance(1000);
    expect(await waiting).toEqual([]);
    expect([clock.sleeps, clock.sleeping]).toEqual([2, 0]);
    queue.close();
  });

  it('lets 1000 wait and no more, until one of them leaves', async () => {
    const queue = await open();
    const leaving = new AbortController();
    const wait = (signal?: AbortSignal) => queue.receive('t', { ...wish, waitMs: 20_000, signal });
    const waiting = Array.from({ length: 999 }, () => wait());
    const left = wait(leaving.signal);
    await expect(wait()).rejects.toThrow(Unavailable);
    expect(await queue.receive('t', wish)).toEqual([]);
    leaving.abort();
    expect(await left).toEqual([]);
    const last = wait();
    await queue.send([job('1')]);
    expect(await waiting[0]).toHaveLength(1);
    const newest = wait();
    await expect(wait()).rejects.toThrow(Unavailable);
    queue.close();
    expect((await Promise.all([...waiting, last, newest])).flat()).toHaveLength(1);
    expect(clock.sleeping).toBe(0);
  });

  it('fails once it is closed', async () => {
    const queue = await open();
    await queue.send([job('1')]);
    const [turn] = await queue.receive('t', wish);
    queue.close();
    const calls = [
      () => queue.send([job('2')]),
      () => queue.receive('t', wish),
      () => queue.hide(turn!, 0),
      () => queue.remove(turn!),
    ];
    for (const call of calls) await expectDefect(call);
  });
});

describe('prepareJobQueueStatements', () => {
  it('finds a job, a tenant and a time by an index, past all others', () => {
    const database = new DatabaseSync(':memory:');
    database.exec(jobQueueSchema.createTables);
    const statements = prepareJobQueueStatements(database);
    const planOf = ({ sourceSQL }: { readonly sourceSQL: string }): string =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sourceSQL}`)
        .all()
        .map(({ detail }) => String(detail))
        .filter((detail) => !/^SCALAR SUBQUERY|^SCAN CONSTANT ROW$/.test(detail))
        .join(', ');
    const { insert, nextTenant, claim, nextVisible, hide, remove } = statements;
    const bySeq = 'SEARCH turns USING INTEGER PRIMARY KEY (rowid=?)';
    const inOrder = 'SEARCH turns USING COVERING INDEX turns_in_order';
    expect(planOf(insert)).toBe('SEARCH turns USING INDEX turns_waiting (tenant=? AND id=?)');
    expect(planOf(nextTenant)).toBe(`${inOrder} (type=? AND rank=? AND tenant>?)`);
    expect(planOf(claim)).toBe(
      `${bySeq}, ${inOrder} (type=? AND rank=? AND tenant=? AND visible_at<?)`,
    );
    expect(planOf(nextVisible)).toBe('SEARCH turns USING COVERING INDEX turns_by_time (type=?)');
    expect(planOf(hide)).toBe(bySeq);
    expect(planOf(remove)).toBe(`SEARCH main.jobs USING INTEGER PRIMARY KEY (rowid=?), ${bySeq}`);
    database.close();
  });
});
