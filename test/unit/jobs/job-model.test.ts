import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError, Unavailable } from '../../../src/core/errors/app-error.ts';
import { isOpenJob } from '../../../src/core/jobs/job-record.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { countEffect, effectsOf, noteWorker } from './effects.ts';
import { acts, JobModel } from './job-model.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

describe('jobs', () => {
  it('are as a simple model of them has it, whatever is done', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (steps) => {
        const model = new JobModel();
        for (const step of steps) await model.take(step);
        await model.check();
      }),
      { numRuns: 200 },
    );
  });

  const faults: readonly Fault[] = [
    ...Array.from({ length: 30 }, (): Fault => 'none'),
    'not-written',
    'written-but-failed',
    'conflict',
  ];
  const busy = fc.record({
    count: fc.integer({ min: 1, max: 25 }),
    outside: fc.integer({ min: 0, max: 10 }),
    concurrency: fc.integer({ min: 1, max: 8 }),
    cancels: fc.array(fc.nat(30), { maxLength: 4 }),
    fates: fc.array(fc.constantFrom(...faults), { minLength: 50, maxLength: 200 }),
    hardness: fc.integer({ min: 0, max: 3 }),
  });

  it('have their effect once in two processes at once, under faults and cancellations', async () => {
    await fc.assert(
      fc.asyncProperty(busy, async (wish) => {
        const desk = new JobDesk([
          noteWorker({
            concurrency: wish.concurrency,
            retry: { maxAttempts: 4, baseMs: 200, maxMs: 1000 },
            handler: async (context) => {
              await desk.clock.sleep(Math.random() * 500);
              if (context.job.attempts <= (context.job.number % 5) - 5 + wish.hardness) {
                throw new Error('not yet');
              }
              return countEffect(context);
            },
          }),
        ]);
        const ids = await Promise.all(
          Array.from({ length: wish.count }, async () => (await desk.submit()).id),
        );
        for (let i = 0; i < wish.outside; i++) await desk.submit({ type: outsideType });
        const processes = ['a', 'b'].map((workerName) => {
          let calls = workerName === 'a' ? 0 : 1000;
          const next = () => wish.fates[(calls += 1) % wish.fates.length];
          return desk.process({
            workerName,
            records: faultyRecords(desk.deps.records, ({ method }) => {
              const fate = next();
              return fate === 'conflict' && method !== 'commit' ? 'none' : fate;
            }),
            queue: faultyJobQueue(desk.deps.queue, () => {
              const fate = next();
              return fate === 'conflict' ? 'none' : fate;
            }),
          });
        });
        const outside = processes.map((each) => workOutside(each));
        const cancelled = wish.cancels.map(async (n) => {
          await desk.clock.sleep(n * 20);
          const id = ids[n % ids.length];
          if (id !== undefined) await desk.cancel(id).catch(isAppError);
        });
        await Promise.all([
          processes[0]!.workFor(60_000, 250),
          processes[1]!.workFor(60_000, 250),
          ...outside,
          ...cancelled,
        ]);
        // What the faults have left is done by who comes after them.
        await desk.reconcile();
        await desk.process({ workerName: 'c' }).workFor(120_000, 1000);
        const last = new OutsideWorker(desk, 'last');
        for (const leased of await last.lease({ limit: 20 })) await last.complete(leased);
        const jobs = await desk.consistent();
        expect(jobs).toHaveLength(wish.count + wish.outside);
        for (const { id, status, type } of jobs) {
          expect(isOpenJob({ status })).toBe(false);
          const isCounted = type !== outsideType && status === 'completed';
          expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(isCounted ? 1 : 0);
        }
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});

/** Leases and completes until there is nothing left, and now and then forgets what it has. */
async function workOutside(desk: JobDesk): Promise<void> {
  const worker = new OutsideWorker(desk, `outside ${desk.deps.workerName}`);
  for (let round = 0; round < 40; round++) {
    await desk.clock.sleep(250);
    const leased = await worker.lease({ limit: 2, leaseMs: 2000 }).catch(isUnavailable);
    for (const each of leased ?? []) {
      if (round % 5 === 0) continue;
      await worker.complete(each).catch(isAppError);
    }
  }
}

function isUnavailable(error: unknown): undefined {
  expect(error).toBeInstanceOf(Unavailable);
}

function isAppError(error: unknown): undefined {
  expect(error).toBeInstanceOf(AppError);
}
