import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { Worker } from '../../../src/core/jobs/define-worker.ts';
import { isOpenJob, type JobStatus } from '../../../src/core/jobs/job-record.ts';
import type { LeasedJob } from '../../../src/core/jobs/lease-jobs.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { Killed, Life } from '../journal/mortal.ts';
import { countEffect, effectsOf, type Handler, noteWorker } from './effects.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

/** What a client or worker outside holds on to, whatever becomes of the server. */
interface Notes {
  id?: string;
  leased?: LeasedJob;
}

interface Scenario {
  readonly name: string;
  readonly workers?: () => readonly Worker[];
  readonly prepare?: (desk: JobDesk, notes: Notes) => Promise<unknown>;
  /** Calls that may be repeated until they are answered. */
  readonly act: (desk: JobDesk, notes: Notes) => Promise<unknown>;
  /** How the job may end; the first when nothing goes wrong. */
  readonly ends: readonly JobStatus[];
}

const submit =
  (fields: Parameters<JobDesk['submit']>[0] = {}) =>
  async (desk: JobDesk, notes: Notes): Promise<void> => {
    notes.id = (await desk.submit({ idempotencyKey: 'once', ...fields })).id;
  };

const work = (desk: JobDesk): Promise<unknown> => desk.workOnce();

function workerThat(handler: Handler): () => Worker[] {
  return () => [noteWorker({ handler, retry: { maxAttempts: 5, baseMs: 1000, maxMs: 5000 } })];
}

const failsFirst: Handler = async (context) => {
  if (context.job.attempts === 1) throw new Error('not yet');
  return countEffect(context);
};

const scenarios: readonly Scenario[] = [
  { name: 'enqueueing', act: submit(), ends: ['completed'] },
  {
    name: 'enqueueing what is large',
    act: submit({ data: 'x'.repeat(300_000) }),
    ends: ['completed'],
  },
  { name: 'an attempt that completes', prepare: submit(), act: work, ends: ['completed'] },
  {
    name: 'a long attempt, with progress and renewals',
    workers: () => {
      const handler: Handler = async (context) => {
        await context.progress(10);
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        return null;
      };
      // The first attempt takes too long.
      const quick: Handler = (context) =>
        context.job.attempts === 1 ? handler(context) : countEffect(context);
      return [noteWorker({ handler: quick, timeoutMs: 12_000, retry: { maxAttempts: 5 } })];
    },
    prepare: submit(),
    act: work,
    ends: ['completed'],
  },
  {
    name: 'an attempt that fails',
    workers: workerThat(failsFirst),
    prepare: submit(),
    act: work,
    ends: ['completed'],
  },
  {
    name: 'an attempt that fails, and waits for long',
    workers: () => [
      noteWorker({
        handler: failsFirst,
        retry: { maxAttempts: 5, baseMs: 122_000, maxMs: 122_000 },
      }),
    ],
    prepare: submit(),
    act: work,
    ends: ['completed'],
  },
  {
    name: 'the only attempt of a job',
    prepare: submit({ maxAttempts: 1 }),
    act: work,
    ends: ['completed', 'dead'],
  },
  {
    name: 'an attempt that is rejected',
    workers: () => [noteWorker({ validators: [{ name: 'never', check: async () => 'no' }] })],
    prepare: submit(),
    act: work,
    ends: ['rejected'],
  },
  {
    name: 'retrying what is dead',
    workers: workerThat(async (context) => {
      const { value } = (await context.tx.get<{ value: boolean }>({
        partition: 'demo#test',
        sort: 'is-fixed',
      })) ?? { value: false };
      if (!value) throw new Error('broken');
      return countEffect(context);
    }),
    prepare: async (desk, notes) => {
      await submit({ maxAttempts: 1 })(desk, notes);
      await desk.workOnce();
      expect((await desk.job(notes.id!)).status).toBe('dead');
      const key = { partition: 'demo#test', sort: 'is-fixed' };
      const put = { kind: 'put', key, value: { value: true }, expect: 'absent' } as const;
      await desk.deps.records.commit([put], 'fixed');
    },
    act: (desk, { id }) => desk.whileTimePasses(() => desk.retry(id!)),
    ends: ['completed'],
  },
  {
    name: 'cancelling what waits',
    prepare: submit(),
    act: (desk, { id }) => desk.whileTimePasses(() => desk.cancel(id!)),
    ends: ['cancelled'],
  },
  {
    name: 'the work of a worker outside',
    prepare: submit({ type: outsideType }),
    act: async (desk, notes) => {
      const worker = new OutsideWorker(desk);
      notes.leased ??= await desk.whileTimePasses(() => worker.leaseOne({ leaseMs: 20_000 }));
      await desk.whileTimePasses(() => worker.progress(notes.leased!, 50)).catch(unlessEnded);
      await desk.whileTimePasses(() => worker.complete(notes.leased!));
    },
    ends: ['completed'],
  },
  {
    name: 'a failure of a worker outside',
    prepare: submit({ type: outsideType }),
    act: async (desk, notes) => {
      const worker = new OutsideWorker(desk);
      notes.leased ??= await desk.whileTimePasses(() => worker.leaseOne({ leaseMs: 20_000 }));
      await desk.whileTimePasses(() => worker.fail(notes.leased!));
    },
    ends: ['completed'],
  },
];

/** A worker outside that repeats what it did knows that it had come to the end. */
function unlessEnded(error: unknown): void {
  if ((error as { code?: string }).code !== 'lease_lost') throw error;
}

async function prepared({ workers, prepare }: Scenario) {
  const desk = new JobDesk(workers?.() ?? [noteWorker()], { workerName: 'old' });
  const notes: Notes = {};
  await prepare?.(desk, notes);
  return { desk, notes };
}

function mortal(desk: JobDesk, life: Life): JobDesk {
  const { records, queue, blobs } = desk.deps;
  return desk.process({
    records: life.during(records, 'get', 'getMany', 'query', 'commit'),
    queue: life.during(queue, 'send', 'receive', 'hide', 'remove'),
    blobs: life.during(blobs, 'put', 'get', 'head'),
  });
}

/** What a server does that was started again, with all that comes in the next minutes. */
async function goOn(desk: JobDesk, { act }: Scenario, notes: Notes, isAnswered: boolean) {
  const next = desk.process({ workerName: 'new', isGone: (worker) => worker === 'old' });
  if (!isAnswered) {
    await act(next, notes).catch((error: unknown) => {
      // Somebody has it, or its turn is over, or there is nothing to lease: as a client may find it.
      if (error instanceof Killed || error instanceof Unavailable) throw error;
    });
  }
  await next.reconcile();
  await next.workFor(90_000, 1000);
  const outside = new OutsideWorker(next, 'other');
  for (let i = 0; i < 3; i++) {
    for (const leased of await outside.lease({ leaseMs: 1000 })) await outside.complete(leased);
    await next.clock.advance(30_000);
  }
  await next.workFor(30_000, 1000);
}

async function checkEnd(desk: JobDesk, { ends }: Scenario, notes: Notes): Promise<JobStatus> {
  const [job, ...others] = await desk.consistent();
  expect(others).toEqual([]);
  expect(job?.id).toBe(notes.id);
  const { status, type } = job!;
  expect(isOpenJob(job!)).toBe(false);
  expect(ends).toContain(status);
  const isCounted = status === 'completed' && type !== outsideType;
  expect(await effectsOf(desk.deps.records, 'demo', notes.id!)).toBe(isCounted ? 1 : 0);
  expect(await desk.turns()).toEqual([]);
  expect(desk.clock.sleeping).toBe(0);
  return status;
}

describe.each(scenarios)('$name', (scenario) => {
  async function clean(): Promise<number> {
    const { desk, notes } = await prepared(scenario);
    const life = new Life();
    await scenario.act(mortal(desk, life), notes);
    await goOn(desk, scenario, notes, true);
    expect(await checkEnd(desk, scenario, notes)).toBe(scenario.ends[0]);
    return life.calls;
  }

  it.each(['before', 'after'] as const)(
    'ends, and has its effect once, killed %s any call',
    async (moment) => {
      const calls = await clean();
      expect(calls).toBeGreaterThanOrEqual(3);
      const ends = new Set<JobStatus>();
      for (let diesAt = 1; diesAt <= calls; diesAt++) {
        const { desk, notes } = await prepared(scenario);
        const life = new Life(diesAt, moment);
        const first = await scenario
          .act(mortal(desk, life), notes)
          .catch((error: unknown) => error);
        expect(life.calls).toBeGreaterThanOrEqual(diesAt);
        const isAnswered = !(first instanceof Error);
        await goOn(desk, scenario, notes, isAnswered);
        ends.add(await checkEnd(desk, scenario, notes));
      }
      expect(ends).toEqual(new Set(scenario.ends));
    },
  );

  it.each(['not-written', 'written-but-failed'] as const)(
    'ends, and has its effect once, any call %s',
    async (fault) => {
      const calls = await clean();
      for (let failsAt = 1; failsAt <= calls; failsAt++) {
        const { desk, notes } = await prepared(scenario);
        let call = 0;
        const faults = () => {
          call += 1;
          return call === failsAt ? fault : undefined;
        };
        const faulty = desk.process({
          records: faultyRecords(desk.deps.records, faults),
          queue: faultyJobQueue(desk.deps.queue, faults),
          blobs: faultyBlobs(desk.deps.blobs, faults),
        });
        const first = await scenario.act(faulty, notes).catch((error: unknown) => error);
        expect(call).toBeGreaterThanOrEqual(failsAt);
        if (first instanceof Error) expect(first).toBeInstanceOf(Unavailable);
        await goOn(desk, scenario, notes, !(first instanceof Error));
        await checkEnd(desk, scenario, notes);
      }
    },
  );
});
