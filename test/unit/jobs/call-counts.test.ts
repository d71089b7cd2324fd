import { beforeEach, describe, expect, it } from 'vitest';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { countCalls } from '../../support/count-calls.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { noteWorker } from './effects.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

const none = {
  records: { get: 0, getMany: 0, query: 0, commit: 0 },
  blobs: { put: 0, get: 0, head: 0 },
  queue: { send: 0, receive: 0, hide: 0, remove: 0 },
};

type Calls = {
  readonly [Port in keyof typeof none]?: Partial<(typeof none)[Port]>;
};

function cost({ records, blobs, queue }: Calls) {
  return {
    records: { ...none.records, ...records },
    blobs: { ...none.blobs, ...blobs },
    queue: { ...none.queue, ...queue },
  };
}

function counted() {
  const sleep = (): Promise<Json> => plain.clock.sleep(12_000).then(() => null);
  const plain: JobDesk = new JobDesk([
    noteWorker(),
    noteWorker({ type: 'test.idle', handler: async () => 0 }),
    noteWorker({ type: 'test.slow', handler: sleep }),
  ]);
  const records = countingRecords(plain.deps.records);
  const blobs = countingBlobs(plain.deps.blobs);
  const queue = countCalls(plain.deps.queue, { send: 0, receive: 0, hide: 0, remove: 0 });
  const desk = plain.process({ records: records.port, blobs: blobs.port, queue: queue.port });
  return {
    desk,
    /** The calls that one call makes. */
    callsOf: async (call: () => Promise<unknown>) => {
      for (const each of [records, blobs, queue]) each.reset();
      await desk.whileTimePasses(call);
      return {
        records: { ...records.calls },
        blobs: { ...blobs.calls },
        queue: { ...queue.calls },
      };
    },
  };
}

describe('what a call costs', () => {
  let desk: JobDesk;
  let worker: OutsideWorker;
  let callsOf: ReturnType<typeof counted>['callsOf'];
  beforeEach(() => {
    ({ desk, callsOf } = counted());
    worker = new OutsideWorker(desk);
  });

  it('enqueueing: one read of the journal’s head, one commit, one send', async () => {
    expect(await callsOf(() => desk.submit())).toEqual(
      cost({ records: { get: 1, commit: 1 }, queue: { send: 1 } }),
    );
    expect(await callsOf(() => desk.submit({ type: outsideType }))).toEqual(
      cost({ records: { get: 1, commit: 1 } }),
    );
  });

  it('enqueueing with an idempotency key: one read more; a repeat reads the job, too', async () => {
    const keyed = { idempotencyKey: 'once' };
    expect(await callsOf(() => desk.submit(keyed))).toEqual(
      cost({ records: { get: 2, commit: 1 }, queue: { send: 1 } }),
    );
    expect(await callsOf(() => desk.submit(keyed))).toEqual(cost({ records: { get: 3 } }));
  });

  it('enqueueing what is large: one blob more', async () => {
    const data = 'x'.repeat(300_000);
    expect(await callsOf(() => desk.submit({ data }))).toEqual(
      cost({ records: { get: 1, commit: 1 }, blobs: { put: 1 }, queue: { send: 1 } }),
    );
  });

  it('starting: the head, the job, and one commit', async () => {
    const { id } = await desk.submit();
    const terms = { worker: 'w', leaseMs: 1000, movesPlace: false, metricType: 'x' };
    const start = () => startAttempt(desk.deps, desk.origin(), { tenant: 'demo', id }, terms);
    expect(await callsOf(start)).toEqual(cost({ records: { get: 2, commit: 1 } }));
    // Somebody has it.
    expect(await callsOf(start)).toEqual(cost({ records: { get: 2 } }));
  });

  it('one turn that completes: start and end are a commit each, and the end reads no job', async () => {
    await desk.submit({ type: 'test.idle' });
    const [turn] = await desk.turns('test.idle');
    expect(await callsOf(() => desk.workOn(turn!))).toEqual(
      cost({ records: { get: 2 + 1, commit: 2 }, queue: { remove: 1 } }),
    );
  });

  it('what a handler reads, in one round trip, comes on top', async () => {
    await desk.submit();
    const [turn] = await desk.turns();
    expect(await callsOf(() => desk.workOn(turn!))).toEqual(
      cost({ records: { get: 3, getMany: 1, commit: 2 }, queue: { remove: 1 } }),
    );
  });

  it('a renewal, every 10 s: the job and one commit; then the end reads the job, too', async () => {
    await desk.submit({ type: 'test.slow' });
    const [turn] = await desk.turns('test.slow');
    expect(await callsOf(() => desk.workOn(turn!))).toEqual(
      cost({ records: { get: 2 + 1 + 2, commit: 1 + 1 + 1 }, queue: { hide: 1, remove: 1 } }),
    );
  });

  it('a turn whose job has ended: the head, the job, and out of the queue', async () => {
    await desk.submit();
    const [turn] = await desk.turns();
    await desk.whileTimePasses(() => desk.workOn(turn!));
    expect(await callsOf(() => desk.workOn(turn!))).toEqual(
      cost({ records: { get: 2 }, queue: { remove: 1 } }),
    );
  });

  it('leasing: the heads, a query for each priority up to the first with a job, it, and a start', async () => {
    await desk.submit({ type: outsideType, priority: 'high' });
    await desk.submit({ type: outsideType });
    const start = { getMany: 1 + 1, get: 1, commit: 1 };
    expect(await callsOf(() => worker.lease())).toEqual(cost({ records: { ...start, query: 1 } }));
    expect(await callsOf(() => worker.lease())).toEqual(cost({ records: { ...start, query: 2 } }));
    expect(await callsOf(() => worker.lease())).toEqual(
      cost({ records: { getMany: 1, query: 3 } }),
    );
  });

  it('of a worker outside: completing and progress read the head and the job; a renewal the job', async () => {
    await desk.submit({ type: outsideType });
    const leased = await worker.leaseOne();
    const once = cost({ records: { get: 2, commit: 1 } });
    expect(await callsOf(() => worker.progress(leased, 10))).toEqual(once);
    expect(await callsOf(() => worker.renew(leased, 90_000))).toEqual(
      cost({ records: { get: 1, commit: 1 } }),
    );
    expect(await callsOf(() => worker.renew(leased, 1000))).toEqual(cost({ records: { get: 1 } }));
    expect(await callsOf(() => worker.complete(leased))).toEqual(once);
    expect(await callsOf(() => worker.complete(leased))).toEqual(cost({ records: { get: 2 } }));
  });

  it('cancelling and retrying: the head, the job, and one commit', async () => {
    const { id } = await desk.submit({ type: outsideType });
    await worker.fail(await worker.leaseOne(), { final: true });
    const once = { get: 2, commit: 1 };
    const retried = await callsOf(() => desk.retry(id));
    expect(retried).toEqual(cost({ records: once, queue: { send: 1 } }));
    expect(await callsOf(() => desk.cancel(id))).toEqual(cost({ records: once }));
  });

  it('20 jobs that come at once to one journal: one read of its head, one commit', async () => {
    const { deps } = counted().desk;
    const plain = new JobDesk([], { ...deps, jobJournals: 1 });
    const { port: records, calls } = countingRecords(plain.deps.records);
    const one = plain.process({ records });
    await Promise.all(Array.from({ length: 20 }, () => one.submit({ type: outsideType })));
    expect(calls).toMatchObject({ get: 1, commit: 1 });
  });
});
