import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { isOpenJob, type JobRecord, jobStatuses } from '../../../src/core/jobs/job-record.ts';
import { type JobFilter, listJobs } from '../../../src/core/jobs/list-jobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { OutsideWorker } from './outside-worker.ts';

const types = ['outside.a', 'outside.b'] as const;

let desk: JobDesk;
let worker: OutsideWorker;
beforeEach(() => {
  desk = new JobDesk();
  worker = new OutsideWorker(desk);
});

/** All pages. */
async function listAll(filter: JobFilter, limit: number, own = desk): Promise<JobRecord[]> {
  const all: JobRecord[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const { items, next } = await listJobs(own.deps, own.tenant, filter, cursor, limit);
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items);
    if (next === null) return all;
    expect(next).not.toBe(cursor);
    cursor = next;
  }
  throw new Error('no end of pages');
}

/** Jobs of all kinds: each fate for each type and priority. */
async function fillWith(fates: readonly string[]): Promise<void> {
  for (const [n, fate] of fates.entries()) {
    const type = types[n % 2] ?? types[0];
    const priority = (['low', 'normal', 'high'] as const)[n % 3] ?? 'low';
    const { id } = await desk.submit({ type, priority });
    await desk.clock.advance(1 + (n % 5));
    if (fate === 'queued') continue;
    if (fate === 'cancelled') {
      await desk.cancel(id);
      continue;
    }
    // It may be another of the type that gets its turn.
    const leased = await worker.leaseOne({ types: [type], leaseMs: 3_600_000 });
    if (fate === 'completed') await worker.complete(leased);
    if (fate === 'failed') await worker.fail(leased, { retryAfterMs: 3_600_000 });
    if (fate === 'dead') await worker.fail(leased, { final: true });
    if (fate === 'rejected') {
      await worker.finish(leased, { kind: 'rejected', validator: 'v', reason: 'no' });
    }
  }
}

describe('listJobs', () => {
  it('lists newest first, over all journals', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) ids.push((await desk.submit({ type: types[0] })).id);
    expect((await listAll({}, 10)).map(({ id }) => id)).toEqual(ids.toReversed());
    const { items, next } = await listJobs(desk.deps, 'demo', {}, undefined, 25);
    expect([items.length, next]).toEqual([25, null]);
  });

  it('answers nothing where there is nothing', async () => {
    for (const status of [undefined, ...jobStatuses]) {
      const page = await listJobs(desk.deps, 'demo', { status }, undefined, 10);
      expect(page).toEqual({ items: [], next: null });
    }
  });

  it('lists the open ones by type, in the order of their turns', async () => {
    const submit = async (type: string, priority: 'high' | 'low', atMs: number) =>
      (await desk.submit({ type, priority, notBeforeMs: atMs })).id;
    const nowMs = desk.clock.nowMs();
    const late = await submit(types[0], 'high', nowMs + 9000);
    const low = await submit(types[0], 'low', nowMs);
    const soon = await submit(types[0], 'high', nowMs + 1000);
    const other = await submit(types[1], 'high', nowMs);
    expect((await listAll({ status: 'queued' }, 2)).map(({ id }) => id)).toEqual([
      soon,
      late,
      low,
      other,
    ]);
  });

  it('shows nothing of another tenant', async () => {
    await fillWith(jobStatuses);
    const other = new JobDesk([], desk.deps, 'other');
    for (const status of [undefined, ...jobStatuses]) {
      expect(await listAll({ status }, 10, other)).toEqual([]);
    }
  });

  it('finds every job that passes the filter, once, whatever the page', async () => {
    const wish = fc.record({
      fates: fc.array(fc.constantFrom(...jobStatuses), { maxLength: 30 }),
      limit: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(wish, async ({ fates, limit }) => {
        desk = new JobDesk();
        worker = new OutsideWorker(desk);
        await fillWith(fates);
        const jobs = await desk.consistent();
        for (const status of [undefined, ...jobStatuses]) {
          for (const type of [undefined, ...types]) {
            const wanted = jobs.filter(
              (job) =>
                (status === undefined || job.status === status) &&
                (type === undefined || job.type === type),
            );
            const listed = (await listAll({ status, type }, limit)).map(({ id }) => id);
            expect(listed.toSorted()).toEqual(wanted.map(({ id }) => id).toSorted());
            const isInTurns = status !== undefined && isOpenJob({ status });
            if (!isInTurns) expect(listed).toEqual(listed.toSorted().toReversed());
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('makes short pages of what is rare, and goes on', async () => {
    const first = (await desk.submit({ type: types[1] })).id;
    await Promise.all(Array.from({ length: 1500 }, () => desk.submit({ type: types[0] })));
    const page = await listJobs(desk.deps, 'demo', { type: types[1] }, undefined, 10);
    expect(page.items).toEqual([]);
    expect(page.next).not.toBeNull();
    expect((await listAll({ type: types[1] }, 10)).map(({ id }) => id)).toEqual([first]);
  });

  it('reads no more records than the page needs, where all pass', async () => {
    await Promise.all(Array.from({ length: 60 }, () => desk.submit({ type: types[0] })));
    const counted = countingRecords(desk.deps.records);
    const limits: number[] = [];
    const records = {
      ...counted.port,
      query: (query: Parameters<typeof counted.port.query>[0]) => {
        limits.push(query.limit);
        return counted.port.query(query);
      },
    };
    await listJobs({ ...desk.deps, records }, 'demo', {}, undefined, 5);
    expect(limits).toEqual([6, 6]);
    limits.length = 0;
    await listJobs({ ...desk.deps, records }, 'demo', {}, undefined, 80);
    expect(limits).toEqual([81, 81]);
  });
});
