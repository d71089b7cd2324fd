import { describe, expect, it } from 'vitest';
import { faultyRecords } from '../../support/faulty-records.ts';
import { deskOf } from './effects.ts';

describe('progress', () => {
  it('is kept at most four times a second, bounded, and never fails', async () => {
    const desk = deskOf(async ({ progress, job }) => {
      const kept = async () => {
        const { progress: held } = await desk.job(job.id);
        return held === null ? null : [held.percent, held.note];
      };
      await progress(10, 'begun');
      expect(await kept()).toEqual([10, 'begun']);
      await progress(20);
      expect(await kept()).toEqual([10, 'begun']);
      await desk.clock.sleep(250);
      await progress(900, 'x\ny');
      expect(await kept()).toEqual([100, 'x y']);
      await desk.clock.sleep(250);
      await progress(Number.NaN);
      await progress(-3, '');
      expect(await kept()).toEqual([0, 'no reason given']);
      return null;
    });
    const { id } = await desk.submit();
    await desk.workOnce();
    const job = await desk.job(id);
    expect(job.error).toBeNull();
    expect(job.status).toBe('completed');
    await desk.consistent();
  });

  it('that cannot be kept is not the handler’s concern', async () => {
    const desk = deskOf(async ({ progress }) => {
      await progress(50);
      return null;
    });
    const { id } = await desk.submit();
    const records = faultyRecords(desk.deps.records, ({ method, nth }) =>
      // The first commit is the start.
      method === 'commit' && nth >= 2 && nth <= 4 ? 'not-written' : undefined,
    );
    expect(await desk.process({ records }).workOnce()).toBe('ended');
    expect((await desk.job(id)).status).toBe('completed');
    expect(desk.deps.log.lines).toMatchObject([{ level: 'warn', msg: 'progress not kept' }]);
  });

  it('nobody waits for may come after the end', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => void rejections.push(reason);
    process.on('unhandledRejection', note);
    const desk = deskOf(async ({ progress }) => {
      void progress(50);
      setTimeout(() => void progress(60), 1);
      return null;
    });
    const { id } = await desk.submit();
    await desk.workOnce();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', note);
    expect((await desk.job(id)).status).toBe('completed');
    expect(rejections).toEqual([]);
    await desk.consistent();
  });
});
