import { describe, expect, it } from 'vitest';
import { keepWorking } from '../../../src/core/jobs/keep-working.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { countEffect, deskOf, effectsOf, type Handler, noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

/** How many run, and the most that did at once. */
function gauge() {
  const counts = { running: 0, most: 0, done: 0 };
  const handler = (work: Handler): Handler => {
    return async (context) => {
      counts.running += 1;
      counts.most = Math.max(counts.most, counts.running);
      try {
        return await work(context);
      } finally {
        counts.running -= 1;
        counts.done += 1;
      }
    };
  };
  return { counts, handler };
}

async function submitMany(desk: JobDesk, count: number, type = 'test.note'): Promise<string[]> {
  const jobs = await Promise.all(Array.from({ length: count }, () => desk.submit({ type })));
  return jobs.map(({ id }) => id);
}

describe('keepWorking', () => {
  it('works on as many at once as the worker allows, of each type', async () => {
    const [slow, fast] = [gauge(), gauge()];
    const sleep = async () => {
      await desk.clock.sleep(1000);
      return null;
    };
    const desk: JobDesk = new JobDesk([
      noteWorker({ type: 'test.slow', concurrency: 3, handler: slow.handler(sleep) }),
      noteWorker({ type: 'test.fast', concurrency: 12, handler: fast.handler(sleep) }),
    ]);
    await submitMany(desk, 10, 'test.slow');
    await submitMany(desk, 30, 'test.fast');
    await desk.workFor(4500);
    expect(slow.counts).toMatchObject({ most: 3, done: 10 });
    expect(fast.counts).toMatchObject({ most: 12, done: 30 });
    await desk.consistent();
  });

  it('takes a job as soon as it comes', async () => {
    const desk = new JobDesk([noteWorker()]);
    const stop = new AbortController();
    const working = keepWorking(desk.deps, desk.deps.workers, stop.signal);
    await desk.clock.advance(7000);
    const { id } = await desk.submit();
    await desk.settle();
    expect((await desk.job(id)).status).toBe('completed');
    expect(desk.clock.nowMs() - startMs).toBeLessThan(7100);
    stop.abort();
    await working;
  });

  it('does not ask the queue while its hands are full, and once for each wait', async () => {
    const desk = deskOf(
      async () => {
        await desk.clock.sleep(10_000);
        return null;
      },
      { concurrency: 2 },
    );
    const asked: number[] = [];
    const queue = interceptMethods(desk.deps.queue, { receive: true }, (_, [, wish], call) => {
      asked.push((wish as { max: number }).max);
      return call();
    });
    const noting = desk.process({ queue });
    await submitMany(desk, 2);
    await noting.workFor(9900);
    expect(asked).toEqual([2]);
    await noting.workFor(39_900);
    expect(asked).toEqual([2, 2, 2]);
    expect(desk.clock.sleeping).toBe(0);
  });

  it('ends at once when nothing is under way', async () => {
    const desk = new JobDesk([noteWorker()]);
    const stop = new AbortController();
    const working = keepWorking(desk.deps, desk.deps.workers, stop.signal);
    await desk.settle();
    stop.abort();
    await working;
    expect(desk.clock.sleeping).toBe(0);
    expect(desk.clock.nowMs()).toBe(startMs);
  });

  it('lets what is under way end within 3 s, takes nothing new, and leaves no timer', async () => {
    const desk = deskOf(async (context) => {
      await desk.clock.sleep(2000);
      return countEffect(context);
    });
    const [first] = await submitMany(desk, 1);
    const stop = new AbortController();
    const working = keepWorking(desk.deps, desk.deps.workers, stop.signal);
    await desk.settle();
    stop.abort();
    const [second] = await submitMany(desk, 1);
    await desk.whileTimePasses(() => working);
    expect(desk.clock.nowMs() - startMs).toBeLessThanOrEqual(2100);
    expect((await desk.job(first!)).status).toBe('completed');
    expect((await desk.job(second!)).status).toBe('queued');
    expect(desk.clock.sleeping).toBe(0);
  });

  it.each([1, 10])('gives up what takes longer, of %i at a time', async (concurrency) => {
    const signals: AbortSignal[] = [];
    const never = new Promise<null>(() => undefined);
    const desk = deskOf(
      ({ signal }) => {
        signals.push(signal);
        return never;
      },
      { concurrency },
    );
    const ids = await submitMany(desk, 3);
    const stop = new AbortController();
    const working = keepWorking(desk.deps, desk.deps.workers, stop.signal);
    await desk.settle();
    stop.abort();
    await desk.clock.advance(2900);
    expect(signals.some(({ aborted }) => aborted)).toBe(false);
    await desk.whileTimePasses(() => working);
    expect(desk.clock.nowMs() - startMs).toBeLessThan(3100);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(desk.clock.sleeping).toBe(0);
    // Another process does the rest, once the leases are over.
    const next = new JobDesk([noteWorker()], { ...desk.deps, workerName: 'worker-2' });
    await next.workFor(40_000, 500);
    for (const id of ids) expect((await desk.job(id)).status).toBe('completed');
    await desk.consistent();
  });

  it('does jobs one after the other, with the crew full all the time', async () => {
    const { counts, handler } = gauge();
    const desk = deskOf(handler(countEffect), { concurrency: 1 });
    const ids = await submitMany(desk, 40);
    await desk.workFor(3000);
    expect(counts).toMatchObject({ most: 1, done: 40 });
    for (const id of ids) expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
  });

  it('goes on when the queue does not answer, a second later', async () => {
    const desk = new JobDesk([noteWorker()]);
    const [id] = await submitMany(desk, 1);
    const queue = faultyJobQueue(desk.deps.queue, {
      receive: ['not-written', { before: () => Promise.reject(new Error('a defect')) }],
    });
    await desk.process({ queue }).workFor(2100);
    expect((await desk.job(id!)).status).toBe('completed');
    const errors = desk.deps.log.lines.filter(({ msg }) => msg === 'no turns');
    expect(errors).toHaveLength(2);
  });

  it('has a job come back soon when it could not be begun', async () => {
    const desk = new JobDesk([noteWorker()]);
    const [id] = await submitMany(desk, 1);
    const records = faultyRecords(desk.deps.records, ({ method, nth }) =>
      method === 'commit' && nth <= 3 ? 'not-written' : undefined,
    );
    await desk.process({ records }).workFor(2000);
    expect(await desk.job(id!)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(desk.deps.log.lines).toMatchObject([{ msg: 'turn not finished', job: id }]);
  });

  it('does every job once while all stores fail now and then', async () => {
    const desk = deskOf(countEffect, { retry: { maxAttempts: 25, baseMs: 100, maxMs: 1000 } });
    let calls = 0;
    const fault = () => {
      calls += 1;
      if (calls % 11 === 0) return 'not-written' as const;
      return calls % 17 === 0 ? ('written-but-failed' as const) : undefined;
    };
    const ids = await submitMany(desk, 30);
    const faulty = desk.process({
      records: faultyRecords(desk.deps.records, fault),
      queue: faultyJobQueue(desk.deps.queue, fault),
    });
    await faulty.workFor(300_000, 250);
    for (const id of ids) {
      expect((await desk.job(id)).status).toBe('completed');
      expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    }
    await desk.consistent();
  });
});
