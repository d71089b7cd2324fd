import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { AttemptOutcome } from '../../../src/core/jobs/finish-attempt.ts';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import type { LeasedJob } from '../../../src/core/jobs/lease-jobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

const startMs = Date.UTC(2026, 0, 1);
const leaseLost = { code: 'lease_lost' };
const outcomes = {
  completed: { kind: 'completed', result: 'done' },
  failed: { kind: 'failed', code: 'jammed', message: 'it is jammed' },
  dead: { kind: 'failed', code: 'jammed', message: 'it is jammed', final: true },
  rejected: { kind: 'rejected', validator: 'form', reason: 'not signed' },
} as const satisfies Record<string, AttemptOutcome>;

let desk: JobDesk;
let worker: OutsideWorker;
let leased: LeasedJob;
let id: string;
beforeEach(async () => {
  desk = new JobDesk();
  worker = new OutsideWorker(desk);
  ({ id } = await desk.submit({ type: outsideType, maxAttempts: 2 }));
  leased = await worker.leaseOne();
});

describe('finishAttempt', () => {
  it('completes', async () => {
    expect(await worker.complete(leased)).toEqual({ status: 'completed', nextAtMs: null });
    expect(await desk.job(id)).toMatchObject({ status: 'completed', result: 'done', lease: null });
    expect(desk.deps.metrics.told).toEqual([['jobEnded', 'other', 'completed', 0]]);
    await desk.consistent();
  });

  it('rejects, for good', async () => {
    const ended = await worker.finish(leased, outcomes.rejected);
    expect(ended).toEqual({ status: 'rejected', nextAtMs: null });
    expect((await desk.job(id)).error).toEqual({
      code: 'rejected',
      message: 'not signed',
      validator: 'form',
    });
    await desk.consistent();
  });

  it('has a failed job wait for its next attempt, then leased again, then dead', async () => {
    const { status, nextAtMs } = await worker.fail(leased);
    expect(status).toBe('failed');
    expect(nextAtMs).toBeGreaterThanOrEqual(startMs + 500);
    expect(nextAtMs).toBeLessThanOrEqual(startMs + 1000);
    expect((await desk.job(id)).visibleAtMs).toBe(nextAtMs);
    await desk.consistent();
    expect(await worker.lease()).toEqual([]);
    desk.clock.set(nextAtMs!);
    const again = await worker.leaseOne();
    expect(again.stored.value.attempts).toBe(2);
    expect(await worker.fail(again)).toEqual({ status: 'dead', nextAtMs: null });
    expect(desk.deps.metrics.told.map(([name]) => name)).toEqual(['jobFailed', 'jobEnded']);
    await desk.consistent();
  });

  it('waits at least as long as it was told', async () => {
    const { nextAtMs } = await worker.fail(leased, { retryAfterMs: 5000 });
    expect(nextAtMs).toBe(startMs + 5000);
  });

  it('never waits for more than 90 days', async () => {
    const { nextAtMs } = await worker.fail(leased, { retryAfterMs: 1e15 });
    expect(nextAtMs).toBe(startMs + jobLimits.maxDelayMs);
    await desk.consistent();
  });

  it('does not try again what is final', async () => {
    expect(await worker.fail(leased, { final: true })).toEqual({ status: 'dead', nextAtMs: null });
    expect((await desk.job(id)).attempts).toBe(1);
    await desk.consistent();
  });

  it('decides anew when the record that was at hand is not the latest', async () => {
    await worker.progress(leased, 50);
    const { port: records, calls } = countingRecords(desk.deps.records);
    const other = new OutsideWorker(desk.process({ records }));
    const ended = other.finish(leased, outcomes.completed, leased.stored);
    expect(await desk.whileTimePasses(() => ended)).toMatchObject({ status: 'completed' });
    expect(calls.commit).toBe(2);
    expect((await desk.job(id)).progress?.percent).toBe(50);
    await desk.consistent();
  });

  it('may come late, as long as nobody else has the job', async () => {
    await desk.clock.advance(600_000);
    expect((await worker.complete(leased)).status).toBe('completed');
  });
});

describe('whoever has not got the job', () => {
  const nothing = async (): Promise<void> => {
    const { port: records, calls } = countingRecords(desk.deps.records);
    const before = await desk.job(id);
    const other = new OutsideWorker(desk.process({ records }));
    for (const outcome of Object.values(outcomes)) {
      await expect(other.finish(leased, outcome)).rejects.toMatchObject(leaseLost);
    }
    await expect(other.renew(leased)).rejects.toMatchObject(leaseLost);
    await expect(other.progress(leased, 50)).rejects.toMatchObject(leaseLost);
    expect(calls.commit).toBe(0);
    expect(await desk.job(id)).toEqual(before);
  };

  it('changes nothing with a token that never was', async () => {
    leased = { ...leased, lease: { ...leased.lease, token: 'guessed' } };
    await nothing();
  });

  it('changes nothing when another has it now', async () => {
    await desk.clock.advance(60_000);
    await new OutsideWorker(desk, 'other').leaseOne();
    await nothing();
  });

  it('changes nothing when it was cancelled', async () => {
    await desk.cancel(id);
    await nothing();
  });

  it('is told when there is no such job', async () => {
    const { value, ...stored } = leased.stored;
    const none = { ...leased, stored: { ...stored, value: { ...value, id: 'none-0' } } };
    await expect(worker.complete(none)).rejects.toMatchObject({ code: 'not_found' });
    await expect(worker.renew(none)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a report that is repeated', () => {
  it.each(Object.entries(outcomes))(
    'answers the same, and does nothing: %s',
    async (_, outcome) => {
      const first = await worker.finish(leased, outcome);
      const job = await desk.job(id);
      const told = desk.deps.metrics.told.length;
      const { port: records, calls } = countingRecords(desk.deps.records);
      await desk.clock.advance(100);
      const again = new OutsideWorker(desk.process({ records }));
      expect(await again.finish(leased, outcome)).toEqual(first);
      expect(calls.commit).toBe(0);
      expect(await desk.job(id)).toEqual(job);
      expect(desk.deps.metrics.told).toHaveLength(told);
      for (const [name, other] of Object.entries(outcomes)) {
        if (other.kind === outcome.kind) continue;
        await expect(worker.finish(leased, other), name).rejects.toMatchObject(leaseLost);
      }
      await desk.consistent();
    },
  );

  it('answers the same when the next attempt is under way already', async () => {
    const first = await worker.fail(leased);
    desk.clock.set(first.nextAtMs!);
    const other = new OutsideWorker(desk, 'other');
    const next = await other.leaseOne();
    expect(await worker.fail(leased)).toEqual(first);
    await other.complete(next);
    // By now another report is the latest.
    await expect(worker.fail(leased)).rejects.toMatchObject(leaseLost);
    expect((await desk.job(id)).status).toBe('completed');
  });

  it('finds what was done when the answer was lost', async () => {
    const records = faultyRecords(desk.deps.records, ({ method, nth }) => {
      if (method === 'commit') return nth === 1 ? 'written-but-failed' : 'not-written';
      return method === 'get' && nth > 2 ? 'not-written' : undefined;
    });
    const cut = new OutsideWorker(desk.process({ records }));
    await expect(desk.whileTimePasses(() => cut.complete(leased))).rejects.toBeInstanceOf(
      Unavailable,
    );
    expect(await worker.complete(leased)).toEqual({ status: 'completed', nextAtMs: null });
    await desk.consistent();
  });

  it('ends the job once when two reports come at once', async () => {
    const answers = await Promise.all([worker.complete(leased), worker.complete(leased)]);
    expect(answers.map(({ status }) => status)).toEqual(['completed', 'completed']);
    const jobs = await desk.consistent();
    expect(jobs[0]?.history).toHaveLength(3);
    expect(desk.deps.metrics.told).toHaveLength(1);
  });
});

describe('renewLease', () => {
  it('makes the lease last from now on, and the job stay where it is', async () => {
    await desk.clock.advance(50_000);
    expect(await worker.renew(leased)).toBe(startMs + 110_000);
    await desk.consistent();
    await desk.clock.advance(59_999);
    expect(await worker.lease()).toEqual([]);
    await desk.clock.advance(1);
    expect((await worker.leaseOne()).stored.value.id).toBe(id);
    await desk.consistent();
  });

  it('never makes it shorter', async () => {
    expect(await worker.renew(leased, 5000)).toBe(startMs + 60_000);
    expect((await desk.job(id)).lease?.untilMs).toBe(startMs + 60_000);
  });

  it('gives up when the job keeps changing', async () => {
    const records = faultyRecords(desk.deps.records, ({ method }) =>
      method === 'commit' ? 'conflict' : undefined,
    );
    const unlucky = new OutsideWorker(desk.process({ records }));
    await expect(unlucky.renew(leased, 90_000)).rejects.toBeInstanceOf(Unavailable);
    expect(await worker.renew(leased, 90_000)).toBe(startMs + 90_000);
    await desk.consistent();
  });
});

describe('reportProgress', () => {
  it('is kept and told, and leaves lease and place as they are', async () => {
    const before = await desk.job(id);
    await worker.progress(leased, 40);
    const job = await desk.job(id);
    const at = '2026-01-01T00:00:00.000Z';
    expect(job).toEqual({ ...before, progress: { percent: 40, note: null, at } });
    await desk.consistent();
  });

  it('is dropped when it comes too soon after the last', async () => {
    await worker.progress(leased, 40);
    const before = await desk.job(id);
    await desk.clock.advance(249);
    await worker.progress(leased, 41);
    expect(await desk.job(id)).toEqual(before);
    await desk.clock.advance(1);
    await worker.progress(leased, 42);
    expect((await desk.job(id)).progress?.percent).toBe(42);
    desk.clock.set(startMs - 3_600_000);
    await worker.progress(leased, 43);
    expect((await desk.job(id)).progress?.percent).toBe(43);
    await desk.consistent();
  });

  it.each([-1, 100.1, Number.NaN])('refuses %d', async (percent) => {
    await expect(worker.progress(leased, percent)).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ pointer: '/percent' }],
    });
  });

  it('begins anew with each attempt', async () => {
    await worker.progress(leased, 40);
    await desk.clock.advance(60_000);
    expect((await worker.leaseOne()).stored.value.progress).toBeNull();
    await desk.consistent();
  });
});
