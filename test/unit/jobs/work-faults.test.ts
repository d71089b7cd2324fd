import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { countEffect, deskOf, effectsOf, noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

describe('when the stores do not answer', () => {
  it('does not do the work again for want of an answer at its end', async () => {
    let runs = 0;
    const desk = deskOf(async (context) => {
      runs += 1;
      return countEffect(context);
    });
    const { id } = await desk.submit();
    let gets = 0;
    const records = faultyRecords(desk.deps.records, ({ method }) => {
      // The start takes two reads, the handler's transaction is one `getMany`.
      if (method === 'get') gets += 1;
      return method === 'get' && gets >= 3 && gets <= 5 ? 'not-written' : undefined;
    });
    expect(await desk.process({ records }).workOnce()).toBe('ended');
    expect(runs).toBe(1);
    expect((await desk.job(id)).status).toBe('completed');
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
  });

  it('completes once when the answer of the end is lost for long', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    let isDown = false;
    const records = faultyRecords(desk.deps.records, ({ method, nth }) => {
      if (method === 'commit' && nth === 2) {
        isDown = true;
        return 'written-but-failed';
      }
      return isDown && desk.clock.nowMs() < startMs + 200 ? 'not-written' : undefined;
    });
    expect(await desk.process({ records }).workOnce()).toBe('ended');
    expect(desk.clock.nowMs()).toBeGreaterThanOrEqual(startMs + 200);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    await desk.consistent();
  });

  it('throws when it cannot begin, and the job is as it was', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    const records = faultyRecords(desk.deps.records, ({ method, nth }) =>
      method === 'commit' && nth <= 3 ? 'not-written' : undefined,
    );
    await expect(desk.process({ records }).workOnce()).rejects.toBeInstanceOf(Unavailable);
    expect(await desk.job(id)).toMatchObject({ status: 'queued', attempts: 0 });
    await desk.clock.advance(jobLimits.turnMs);
    expect(await desk.workOnce()).toBe('ended');
  });

  it('loses nothing when the queue does not', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    const queue = faultyJobQueue(desk.deps.queue, { remove: ['not-written'] });
    await expect(desk.process({ queue }).workOnce()).rejects.toBeInstanceOf(Unavailable);
    expect((await desk.job(id)).status).toBe('completed');
    await desk.clock.advance(jobLimits.turnMs);
    expect(await desk.workOnce()).toBe('ended');
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
  });

  it('goes on when its turn is gone: the record is what counts', async () => {
    const desk = deskOf(async (context) => {
      await desk.clock.sleep(25_000);
      return countEffect(context);
    });
    const { id } = await desk.submit();
    const queue = interceptMethods(desk.deps.queue, { hide: true }, async () => 'gone');
    expect(await desk.process({ queue }).workOnce()).toBe('ended');
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  });
});
