import { beforeEach, describe, expect, it } from 'vitest';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import type { JobStatus } from '../../../src/core/jobs/job-record.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { noteWorker } from './effects.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

const startMs = Date.UTC(2026, 0, 1);
const notOpen = { code: 'job_not_open' };

let desk: JobDesk;
let worker: OutsideWorker;
beforeEach(() => {
  desk = new JobDesk([noteWorker()]);
  worker = new OutsideWorker(desk);
});

/** A job for workers outside that has come so far. */
async function jobThatIs(status: JobStatus): Promise<string> {
  const { id } = await desk.submit({ type: outsideType, maxAttempts: 2 });
  if (status === 'queued') return id;
  const leased = await worker.leaseOne();
  if (status === 'completed') await worker.complete(leased);
  if (status === 'failed') await worker.fail(leased);
  if (status === 'dead') await worker.fail(leased, { final: true });
  if (status === 'cancelled') await desk.cancel(id, 'first');
  if (status === 'rejected') {
    await worker.finish(leased, { kind: 'rejected', validator: 'form', reason: 'no' });
  }
  expect((await desk.job(id)).status).toBe(status);
  return id;
}

describe('cancelJob', () => {
  it.each(['queued', 'processing', 'failed', 'dead'] as const)(
    'ends one that is %s',
    async (is) => {
      const id = await jobThatIs(is);
      const job = await desk.cancel(id, 'a mistake');
      expect(job).toEqual(await desk.job(id));
      expect(job).toMatchObject({ status: 'cancelled', lease: null, endedAt: expect.any(String) });
      expect(job.history.at(-1)).toMatchObject({
        status: 'cancelled',
        by: 'ann',
        detail: 'a mistake',
      });
      await desk.clock.advance(3_600_000);
      expect(await worker.lease()).toEqual([]);
      await desk.consistent();
    },
  );

  it('leaves one that was cancelled as it is', async () => {
    const id = await jobThatIs('cancelled');
    const { port: records, calls } = countingRecords(desk.deps.records);
    const again = await desk.process({ records }).cancel(id, 'second');
    expect(again).toEqual(await desk.job(id));
    expect(again.history.at(-1)?.detail).toBe('first');
    expect(calls.commit).toBe(0);
  });

  it.each(['completed', 'rejected'] as const)('refuses one that is %s', async (is) => {
    const id = await jobThatIs(is);
    const before = await desk.job(id);
    await expect(desk.cancel(id)).rejects.toMatchObject(notOpen);
    expect(await desk.job(id)).toEqual(before);
  });

  it('knows no job of another tenant', async () => {
    const id = await jobThatIs('queued');
    const other = new JobDesk([], desk.deps, 'other');
    await expect(other.cancel(id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(other.retry(id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await desk.job(id)).status).toBe('queued');
  });
});

describe('retryJob', () => {
  it('gives a dead job all its attempts anew', async () => {
    const id = await jobThatIs('dead');
    await desk.clock.advance(60_000);
    const job = await desk.retry(id, 'the crew is back');
    expect(job).toMatchObject({
      status: 'queued',
      attempts: 0,
      maxAttempts: 2,
      endedAt: null,
      lease: null,
      visibleAtMs: startMs + 60_000,
    });
    await desk.consistent();
    const first = await worker.leaseOne();
    expect(first.stored.value.attempts).toBe(1);
    const { nextAtMs } = await worker.fail(first);
    desk.clock.set(nextAtMs!);
    const second = await worker.leaseOne();
    expect(await worker.fail(second)).toMatchObject({ status: 'dead' });
    await desk.consistent();
    await desk.retry(id);
    await worker.complete(await worker.leaseOne());
    expect(await desk.job(id)).toMatchObject({ status: 'completed', error: null });
    await desk.consistent();
  });

  it('has one that waits for its next attempt tried at once', async () => {
    const id = await jobThatIs('failed');
    expect(await worker.lease()).toEqual([]);
    await desk.retry(id);
    expect((await worker.leaseOne()).stored.value).toMatchObject({ id, attempts: 1 });
    await desk.consistent();
  });

  it('has a job of ours come to its turn again, also before its back-off is over', async () => {
    let runs = 0;
    const handler = async (): Promise<null> => {
      runs += 1;
      if (runs < 4) throw new Error('not yet');
      return null;
    };
    desk = new JobDesk([noteWorker({ handler, retry: { maxAttempts: 2, baseMs: 60_000 } })]);
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('waits');
    await desk.retry(id);
    expect(await desk.workOnce()).toBe('waits');
    expect(await desk.workOnce()).toBe('none');
    await desk.workFor(130_000, 1000);
    expect(await desk.job(id)).toMatchObject({ status: 'dead', attempts: 2 });
    await desk.retry(id);
    expect(await desk.workOnce()).toBe('ended');
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    // What the first turns left behind in the queue finds the work done.
    await desk.workFor(130_000, 1000);
    expect(runs).toBe(4);
    await desk.consistent();
  });

  it('leaves one that is queued as it is', async () => {
    const id = await jobThatIs('queued');
    const before = await desk.job(id);
    expect(await desk.retry(id)).toEqual(before);
    expect(await desk.job(id)).toEqual(before);
  });

  it.each(['processing', 'completed', 'rejected', 'cancelled'] as const)(
    'refuses one that is %s',
    async (is) => {
      const id = await jobThatIs(is);
      const before = await desk.job(id);
      await expect(desk.retry(id)).rejects.toMatchObject(notOpen);
      expect(await desk.job(id)).toEqual(before);
    },
  );

  it('is one retry when two ask at once', async () => {
    const id = await jobThatIs('dead');
    await Promise.all([desk.retry(id), desk.retry(id)]);
    const [job] = await desk.consistent();
    expect(job?.history.filter(({ status }) => status === 'queued')).toHaveLength(2);
  });
});

describe('what is kept of a job', () => {
  it('is its latest 50 steps', async () => {
    const { id } = await desk.submit({ type: outsideType, maxAttempts: 25 });
    for (let i = 0; i < 30; i++) {
      const { nextAtMs } = await worker.fail(await worker.leaseOne());
      if (nextAtMs === null) await desk.retry(id);
      else await desk.clock.advance(nextAtMs - desk.clock.nowMs());
    }
    const { history } = await desk.job(id);
    expect(history).toHaveLength(jobLimits.maxHistory);
    await desk.consistent();
  });

  it('fits into a record at its largest', async () => {
    const wide = 'ü'.repeat(5000);
    const data = 'x'.repeat(jobLimits.maxInlineDataBytes - 2);
    const { id } = await desk.submit({ type: outsideType, data, maxAttempts: 25 });
    for (let i = 0; i < 24; i++) {
      const leased = await worker.leaseOne();
      const failure = { kind: 'failed', code: 'c'.repeat(64), message: wide } as const;
      const { nextAtMs } = await worker.finish(leased, failure);
      await desk.clock.advance(nextAtMs! - desk.clock.nowMs());
    }
    const leased = await worker.leaseOne();
    await worker.complete(leased, 'x'.repeat(jobLimits.maxResultBytes - 2));
    expect((await desk.job(id)).status).toBe('completed');
    await desk.consistent();
  });

  it.each(['completed', 'rejected', 'dead', 'cancelled'] as const)(
    'is gone 90 days after it was %s',
    async (is) => {
      const id = await jobThatIs(is);
      desk.clock.set(startMs + jobLimits.retentionMs - 1);
      expect((await desk.job(id)).status).toBe(is);
      desk.clock.set(startMs + jobLimits.retentionMs);
      await expect(desk.job(id)).rejects.toMatchObject({ code: 'not_found' });
      const dead = await desk.deps.records.query({ partition: 'demo#dead-jobs', limit: 10 });
      expect(dead).toEqual([]);
    },
  );

  it('stays for good when it was stored with something that does', async () => {
    const besides = { isKept: true, writes: () => [] } as const;
    const { id } = await desk.submit({ type: outsideType }, besides);
    await desk.cancel(id);
    desk.clock.set(startMs + 2 * jobLimits.retentionMs);
    expect((await desk.job(id)).status).toBe('cancelled');
  });

  it('lasts again when it is retried', async () => {
    const id = await jobThatIs('dead');
    await desk.retry(id);
    desk.clock.set(startMs + 2 * jobLimits.retentionMs);
    expect((await desk.job(id)).status).toBe('queued');
    await desk.consistent();
  });
});
