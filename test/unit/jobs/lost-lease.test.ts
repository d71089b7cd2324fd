import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { countEffect, deskOf, effectsOf, noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

describe('a handler that takes too long', () => {
  it('is cut off, although it ignores its signal, and never writes', async () => {
    const held = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const desk = deskOf(
      async (context) => {
        signals.push(context.signal);
        if (context.job.attempts === 1) await held.promise;
        return countEffect(context);
      },
      { timeoutMs: 90_000 },
    );
    const { id } = await desk.submit();
    const { end } = await desk.begin();
    await desk.clock.advance(89_900);
    expect((await desk.job(id)).status).toBe('processing');
    await desk.whileTimePasses(() => end);
    expect(desk.clock.nowMs() - startMs).toBeLessThan(91_000);
    expect(await desk.job(id)).toMatchObject({
      status: 'failed',
      error: { code: 'timeout', message: 'The attempt took longer than 90000 ms.' },
    });
    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toBeInstanceOf(AppError);
    held.resolve();
    await desk.settle();
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
    await desk.workFor(2000);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    expect(desk.clock.sleeping).toBe(0);
    await desk.consistent();
  });

  it('keeps its lease and its turn as long as it may go on', async () => {
    const desk = deskOf(
      async (context) => {
        await desk.clock.sleep(200_000);
        return countEffect(context);
      },
      { timeoutMs: 300_000 },
    );
    const { id } = await desk.submit();
    const { end } = await desk.begin();
    for (let i = 0; i < 18; i++) {
      await desk.clock.advance(10_000);
      await desk.settle();
      const { lease } = await desk.job(id);
      expect((lease?.untilMs ?? 0) - desk.clock.nowMs()).toBeGreaterThanOrEqual(20_000);
      expect(await desk.turns()).toEqual([]);
    }
    expect(await desk.whileTimePasses(() => end)).toBe('ended');
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    await desk.consistent();
  });

  it('is cut off in its checks, too, and then never begun', async () => {
    const held = Promise.withResolvers<null>();
    let runs = 0;
    const desk = deskOf(
      async () => {
        runs += 1;
        return null;
      },
      { validators: [{ name: 'slow', check: () => held.promise }], timeoutMs: 1000 },
    );
    const { id } = await desk.submit();
    await desk.workOnce();
    expect((await desk.job(id)).error?.code).toBe('timeout');
    held.resolve(null);
    await desk.settle();
    expect(runs).toBe(0);
  });
});

describe('an attempt whose lease is lost', () => {
  /** A handler that writes, and waits for the test. */
  function heldDesk() {
    const held = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const desk = deskOf(async (context) => {
      signals.push(context.signal);
      const answer = await countEffect(context);
      if (context.job.attempts === 1) await held.promise;
      return answer;
    });
    return { desk, held, signals };
  }

  it('writes nothing once the job was cancelled, and is told so at its next renewal', async () => {
    const { desk, held, signals } = heldDesk();
    const { id } = await desk.submit();
    const { end } = await desk.begin();
    await desk.cancel(id, 'a mistake');
    expect(signals[0]?.aborted).toBe(false);
    await desk.clock.advance(10_000);
    await desk.settle();
    expect(signals[0]?.aborted).toBe(true);
    held.resolve();
    // Handed back, and taken out by whoever gets it.
    expect(await end).toBe('waits');
    expect(await desk.workOnce()).toBe('ended');
    expect(await desk.job(id)).toMatchObject({ status: 'cancelled', attempts: 1 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
    expect(desk.deps.log.lines.map(({ msg }) => msg)).toEqual(['attempt lost its lease']);
    await desk.consistent();
  });

  it('writes nothing when it was cancelled just before the end', async () => {
    const { desk, held } = heldDesk();
    const { id } = await desk.submit();
    const { end } = await desk.begin();
    await desk.cancel(id);
    held.resolve();
    expect(await desk.whileTimePasses(() => end)).toBe('waits');
    expect(await desk.job(id)).toMatchObject({ status: 'cancelled', result: null });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
    await desk.consistent();
  });

  it('is told at once when it reports progress', async () => {
    const signals: AbortSignal[] = [];
    const desk = deskOf(async ({ progress, signal }) => {
      signals.push(signal);
      await desk.cancel((await desk.consistent())[0]!.id);
      await progress(50);
      expect(signal.aborted).toBe(true);
      return null;
    });
    await desk.submit();
    expect(await desk.workOnce()).toBe('waits');
    expect(signals[0]?.aborted).toBe(true);
    expect(desk.clock.nowMs() - startMs).toBeLessThan(1000);
  });

  it('leaves the job to who has it now', async () => {
    const { desk, held, signals } = heldDesk();
    const { id } = await desk.submit();
    // The store does not answer while the lease has to be renewed.
    let isDown = false;
    const records = faultyRecords(desk.deps.records, () => (isDown ? 'not-written' : undefined));
    const first = desk.process({ records });
    const { end } = await first.begin();
    isDown = true;
    await desk.clock.advance(jobLimits.turnMs);
    await desk.settle();
    const second = desk.process({ workerName: 'worker-2' });
    expect(await second.workOnce()).toBe('ended');
    isDown = false;
    held.resolve();
    expect(await first.whileTimePasses(() => end)).toBe('waits');
    expect(signals).toHaveLength(2);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    const { history } = await desk.job(id);
    expect(history.map(({ detail }) => detail)).toEqual([null, 'worker-1', 'worker-2', null]);
    await desk.consistent();
  });

  it('tells of a worker that was lost, in the record and in the metrics', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit({ maxAttempts: 2 });
    const start = () =>
      startAttempt(
        desk.deps,
        desk.origin(),
        { tenant: 'demo', id },
        { worker: 'w', leaseMs: 1000, movesPlace: false, metricType: 'test.note' },
      );
    expect((await start()).status).toBe('started');
    expect(await start()).toMatchObject({ status: 'later', atMs: startMs + 1000 });
    await desk.clock.advance(1000);
    expect((await start()).status).toBe('started');
    expect(await desk.job(id)).toMatchObject({
      attempts: 2,
      error: { code: 'lease_lost', message: 'The worker was lost in attempt 1 of 2.' },
    });
    await desk.clock.advance(1000);
    expect((await start()).status).toBe('gone');
    expect(await desk.job(id)).toMatchObject({
      status: 'dead',
      attempts: 2,
      lease: null,
      error: { code: 'lease_lost', message: 'The worker was lost in attempt 2 of 2.' },
    });
    expect(desk.deps.metrics.told).toEqual([
      ['jobFailed', 'test.note'],
      ['jobEnded', 'test.note', 'dead', 2000],
    ]);
    await desk.consistent();
  });

  it('does not have a worker that is known to be gone in the way', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    const [turn] = await desk.turns();
    const never = Promise.withResolvers<void>();
    const dead = new JobDesk([noteWorker({ handler: () => never.promise.then(() => null) })], {
      ...desk.deps,
      workerName: 'old',
    });
    void dead.workOn(turn!);
    await desk.settle();
    const again = desk.process({ isGone: (worker) => worker === 'old' });
    expect(await again.workOn(turn!)).toBe('ended');
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
  });
});

describe('an attempt that is given up', () => {
  it('ends as if its process had, and another does the work', async () => {
    const stop = new AbortController();
    const never = Promise.withResolvers<void>();
    const desk = deskOf(async (context) => {
      if (context.job.attempts === 1) await never.promise;
      return countEffect(context);
    });
    const { id } = await desk.submit();
    const [turn] = await desk.turns();
    const working = desk.workOn(turn!, stop.signal);
    await desk.settle();
    stop.abort();
    expect(await working).toBe('waits');
    expect(desk.clock.sleeping).toBe(0);
    expect((await desk.job(id)).status).toBe('processing');
    never.resolve();
    await setImmediate();
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(0);
    await desk.workFor(31_000, 500);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
  });

  it('is not listened for any more once it has ended', async () => {
    const stop = new AbortController();
    const desk = deskOf(countEffect);
    await desk.submit();
    const [turn] = await desk.turns();
    expect(await desk.workOn(turn!, stop.signal)).toBe('ended');
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});
