import { beforeEach, describe, expect, it } from 'vitest';
import { keepReconcilingJobs, reconcileJobs } from '../../../src/core/jobs/reconcile-jobs.ts';
import { SentAgain } from '../../../src/core/jobs/sent-again.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import type { QueuedJob } from '../../../src/ports/job-queue.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { memoryJobQueue } from '../../support/memory-job-queue.ts';
import { effectsOf, noteWorker } from './effects.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

const startMs = Date.UTC(2026, 0, 1);

let desk: JobDesk;
beforeEach(() => {
  desk = new JobDesk([noteWorker(), noteWorker({ type: 'test.other' })]);
});

/** Jobs that were stored, and whose sender died before it sent them. */
async function unsent(count: number, fields: Parameters<JobDesk['submit']>[0] = {}) {
  const cut = desk.process({
    queue: interceptMethods(desk.deps.queue, { send: 0 }, async () => {}),
  });
  const jobs = await Promise.all(Array.from({ length: count }, () => cut.submit(fields)));
  return jobs.map(({ id }) => id);
}

/** The desk, noting what is sent. */
function noting() {
  const sent: QueuedJob[] = [];
  const queue = interceptMethods(desk.deps.queue, { send: 0 }, (_, [jobs], call) => {
    sent.push(...(jobs as QueuedJob[]));
    return call();
  });
  return { sent, noted: desk.process({ queue }) };
}

describe('reconcileJobs', () => {
  it('sends what was stored and never sent', async () => {
    const [id] = await unsent(1, { priority: 'low' });
    expect(await desk.turns()).toEqual([]);
    const { sent, noted } = noting();
    await noted.reconcile();
    expect(sent).toEqual([
      { tenant: 'demo', type: 'test.note', id, priority: 'low', notBeforeMs: startMs },
    ]);
    expect(await desk.workOnce()).toBe('ended');
    expect(await effectsOf(desk.deps.records, 'demo', id!)).toBe(1);
    expect(desk.deps.log.lines[0]).toMatchObject({ msg: 'jobs sent again', count: 1 });
  });

  it('sends each of very many, of every type, priority, journal and tenant', async () => {
    const ids = [
      ...(await unsent(130)),
      ...(await unsent(120, { priority: 'high' })),
      ...(await unsent(3, { type: 'test.other', priority: 'low' })),
    ];
    const other = new JobDesk([...desk.deps.workers.values()], desk.deps, 'other');
    const { id } = await other.submit();
    const { sent, noted } = noting();
    await noted.reconcile();
    expect(sent.map((job) => job.id).toSorted()).toEqual([...ids, id].toSorted());
    expect(new Set(sent.map(({ tenant }) => tenant))).toEqual(new Set(['demo', 'other']));
  });

  it('does not send what has not waited long enough', async () => {
    const [id] = await unsent(1);
    const { sent, noted } = noting();
    await desk.clock.advance(59_999);
    await noted.reconcile(60_000);
    expect(sent).toEqual([]);
    await desk.clock.advance(1);
    await noted.reconcile(60_000);
    expect(sent.map((job) => job.id)).toEqual([id]);
  });

  it('does not send what is to wait for its time', async () => {
    await unsent(1, { notBeforeMs: startMs + 5000 });
    const { sent, noted } = noting();
    await noted.reconcile();
    expect(sent).toEqual([]);
    await desk.clock.advance(5000);
    await noted.reconcile();
    expect(sent).toHaveLength(1);
  });

  it('does not send what somebody has, until the lease is over', async () => {
    const [id] = await unsent(1);
    const { sent, noted } = noting();
    const terms = { worker: 'w', leaseMs: 30_000, movesPlace: false, metricType: 'test.note' };
    await startAttempt(desk.deps, desk.origin(), { tenant: 'demo', id: id! }, terms);
    await desk.clock.advance(29_999);
    await noted.reconcile();
    expect(sent).toEqual([]);
    await desk.clock.advance(1);
    await noted.reconcile();
    expect(sent.map((job) => job.id)).toEqual([id]);
  });

  it('does not send what is for workers outside, or has ended', async () => {
    await desk.submit({ type: outsideType });
    await new OutsideWorker(desk).leaseOne();
    await desk.submit();
    await desk.workOnce();
    await desk.clock.advance(3_600_000);
    const { sent, noted } = noting();
    await noted.reconcile();
    expect(sent).toEqual([]);
  });

  it('finds all that a queue has lost, also what waits for another attempt', async () => {
    const ids = [(await desk.submit()).id, (await desk.submit({ maxAttempts: 2 })).id];
    const failing = new JobDesk([noteWorker({ handler: () => Promise.reject(new Error('no')) })], {
      ...desk.deps,
    });
    await failing.workOnce();
    const empty = desk.process({ queue: memoryJobQueue(desk.clock) });
    await desk.clock.advance(60_000);
    await empty.reconcile();
    await empty.workFor(1000);
    for (const id of ids) expect((await desk.job(id)).status).toBe('completed');
    await desk.consistent();
  });

  it('does work once that is in the queue after all', async () => {
    const { id } = await desk.submit();
    await desk.reconcile();
    await desk.reconcile();
    await desk.workFor(1000);
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    expect(await desk.turns()).toEqual([]);
  });

  it('looks at no more than it is told to', async () => {
    await unsent(250);
    const { sent, noted } = noting();
    await reconcileJobs(noted.deps, { staleMs: 0, againMs: 0, maxJobs: 100 });
    expect(sent).toHaveLength(100);
  });

  it('goes on with other tenants when one fails, and says so in the end', async () => {
    await unsent(1);
    const others = new JobDesk([noteWorker()], desk.deps, 'other');
    await others.submit();
    const queue = faultyJobQueue(desk.deps.queue, { send: ['not-written'] });
    const faulty = desk.process({ queue });
    await expect(faulty.reconcile()).rejects.toMatchObject({ code: 'unavailable' });
    const again = desk.deps.log.lines.filter(({ msg }) => msg === 'jobs sent again');
    expect(again).toMatchObject([{ tenant: 'other' }]);
    // What it measured is told all the same.
    expect(desk.deps.metrics.told.some(([name]) => name === 'jobsOpen')).toBe(true);
  });

  it('measures how many wait and run, and how long the oldest has waited', async () => {
    await desk.submit();
    await desk.clock.advance(1000);
    await desk.submit();
    await desk.submit({ notBeforeMs: startMs + 3_600_000 });
    await desk.submit({ type: 'test.other' });
    await desk.submit({ type: outsideType });
    const [turn] = await desk.turns('test.other');
    const never = new JobDesk(
      [noteWorker({ type: 'test.other', handler: () => new Promise(() => undefined) })],
      desk.deps,
    );
    const stop = new AbortController();
    const working = never.workOn(turn!, stop.signal);
    await desk.clock.advance(4000);
    await desk.reconcile(60_000);
    expect(desk.deps.metrics.told.filter(([name]) => name === 'jobsOpen')).toEqual([
      ['jobsOpen', 'test.note', 3, 0, 5000],
      ['jobsOpen', 'test.other', 0, 1, 0],
    ]);
    stop.abort();
    await working;
  });

  it('measures nothing where there is nothing', async () => {
    await desk.reconcile();
    expect(desk.deps.metrics.told).toEqual([
      ['jobsOpen', 'test.note', 0, 0, 0],
      ['jobsOpen', 'test.other', 0, 0, 0],
    ]);
  });
});

describe('what waits in a long queue', () => {
  const minuteMs = 60_000;

  /** A round each minute, and how many jobs each sent. */
  async function rounds(count: number, memory?: SentAgain): Promise<number[]> {
    const { sent, noted } = noting();
    const sends: number[] = [];
    for (let round = 0; round < count; round++) {
      const before = sent.length;
      const terms = { staleMs: 5 * minuteMs, againMs: 30 * minuteMs, maxJobs: 1000 };
      await reconcileJobs(noted.deps, terms, memory);
      sends.push(sent.length - before);
      await desk.clock.advance(minuteMs);
    }
    return sends;
  }

  it('is sent again once in a while, by a process that remembers, and not each time', async () => {
    await unsent(3);
    const sends = await rounds(70, new SentAgain());
    expect(sends.flatMap((count, minute) => (count === 0 ? [] : [[minute, count]]))).toEqual([
      [5, 3],
      [35, 3],
      [65, 3],
    ]);
    expect((await rounds(2)).at(-1)).toBe(3);
  });

  it('is not forgotten when it could not be sent', async () => {
    const [id] = await unsent(1);
    const queue = faultyJobQueue(desk.deps.queue, { send: ['not-written'] });
    const noted = desk.process({ queue });
    const terms = { staleMs: 0, againMs: 30 * minuteMs, maxJobs: 1000 };
    const memory = new SentAgain();
    await expect(reconcileJobs(noted.deps, terms, memory)).rejects.toThrow();
    await reconcileJobs(noted.deps, terms, memory);
    expect((await desk.turns()).map((turn) => turn.id)).toEqual([id]);
  });

  it('is another job once an attempt of it was lost', async () => {
    const [id] = await unsent(1);
    const { sent, noted } = noting();
    const terms = { staleMs: 0, againMs: 30 * minuteMs, maxJobs: 1000 };
    const memory = new SentAgain();
    await reconcileJobs(noted.deps, terms, memory);
    const lease = { worker: 'w', leaseMs: 1000, movesPlace: false, metricType: 'x' };
    await startAttempt(desk.deps, desk.origin(), { tenant: 'demo', id: id! }, lease);
    await desk.clock.advance(minuteMs);
    await reconcileJobs(noted.deps, terms, memory);
    expect(sent.map((job) => job.id)).toEqual([id, id]);
  });
});

describe('keepReconcilingJobs', () => {
  it('sends at the start whatever waits, then what has waited too long, until it is stopped', async () => {
    const [first] = await unsent(1);
    const { sent, noted } = noting();
    const stop = new AbortController();
    const terms = { staleMs: 60_000, againMs: 0, maxJobs: 1000, everyMs: 60_000 };
    const keeping = keepReconcilingJobs(noted.deps, terms, stop.signal);
    await desk.settle();
    expect(sent.map(({ id }) => id)).toEqual([first]);
    await desk.workOnce();
    await desk.clock.advance(1000);
    const [second] = await unsent(1);
    await desk.clock.advance(60_000);
    await desk.settle();
    expect(sent.map(({ id }) => id)).toEqual([first]);
    await desk.clock.advance(60_000);
    await desk.settle();
    expect(sent.map(({ id }) => id)).toEqual([first, second]);
    stop.abort();
    await keeping;
    expect(desk.clock.sleeping).toBe(0);
  });

  it('looks at all of it at the next start when the first look failed', async () => {
    const [id] = await unsent(1);
    const { sent, noted } = noting();
    const records = faultyRecords(desk.deps.records, { query: ['not-written'] });
    const stop = new AbortController();
    const terms = { staleMs: 3_600_000, againMs: 0, maxJobs: 1000, everyMs: 60_000 };
    const keeping = keepReconcilingJobs({ ...noted.deps, records }, terms, stop.signal);
    await desk.settle();
    expect(desk.deps.log.lines).toMatchObject([{ msg: 'reconciling jobs failed' }]);
    await desk.clock.advance(60_000);
    await desk.settle();
    expect(sent.map((job) => job.id)).toEqual([id]);
    stop.abort();
    await keeping;
  });
});
