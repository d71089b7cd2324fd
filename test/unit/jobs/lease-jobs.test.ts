import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { jobPriorities } from '../../../src/core/jobs/job-record.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { noteWorker } from './effects.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

const startMs = Date.UTC(2026, 0, 1);

let desk: JobDesk;
let worker: OutsideWorker;
beforeEach(() => {
  desk = new JobDesk([noteWorker()]);
  worker = new OutsideWorker(desk);
});

async function submit(fields: Parameters<JobDesk['submit']>[0] = {}): Promise<string> {
  return (await desk.submit({ type: outsideType, ...fields })).id;
}

async function submitMany(count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => submit()));
}

function idsOf(leased: Awaited<ReturnType<OutsideWorker['lease']>>): string[] {
  return leased.map(({ stored }) => stored.value.id);
}

describe('leaseJobs', () => {
  it('begins an attempt for the worker that asks', async () => {
    const id = await submit();
    const { stored, lease } = await worker.leaseOne({ leaseMs: 5000 });
    expect(stored.value).toEqual(await desk.job(id));
    expect(stored.value).toMatchObject({
      id,
      status: 'processing',
      attempts: 1,
      lease: { token: lease.token, worker: 'crew', untilMs: startMs + 5000 },
    });
    await desk.consistent();
  });

  it('answers nothing when there is nothing, with one read', async () => {
    const { port: records, calls } = countingRecords(desk.deps.records);
    expect(await new OutsideWorker(desk.process({ records })).lease()).toEqual([]);
    expect(calls).toEqual({ get: 0, getMany: 1, query: 0, commit: 0 });
  });

  it('begins nothing while the governance rules cannot be asked', async () => {
    const id = await submit();
    const vet = async (): Promise<never> => {
      throw new Unavailable('no rules');
    };
    const cut = new OutsideWorker(new JobDesk([], { ...desk.deps, vet }));
    await expect(cut.lease()).rejects.toBeInstanceOf(Unavailable);
    expect(await desk.job(id)).toMatchObject({ status: 'queued', attempts: 0 });
    expect(await worker.lease()).toHaveLength(1);
  });

  it('hands out nothing that the governance rules deny: it is rejected, with their reason', async () => {
    const asked: unknown[] = [];
    const governed = new JobDesk([], {
      vet: async (what) => {
        asked.push(what);
        const denied = what.payload === 'forbidden';
        return denied ? { verdict: 'denied', reason: 'Not on a Sunday.' } : { verdict: 'allowed' };
      },
    });
    const { id } = await governed.submit({
      type: outsideType,
      data: 'forbidden',
      priority: 'high',
      region: 'NCR',
    });
    const other = await governed.submit({ type: outsideType, data: 'fine' });
    const leased = await new OutsideWorker(governed).lease({ limit: 2 });
    expect(idsOf(leased)).toEqual([other.id]);
    expect(await governed.job(id)).toMatchObject({
      status: 'rejected',
      error: { code: 'rejected', message: 'Not on a Sunday.', validator: 'governance' },
    });
    expect(asked[0]).toEqual({
      tenant: 'demo',
      actor: { id: 'ravi', subject: expect.any(String), region: 'NCR' },
      action: outsideType,
      payload: 'forbidden',
    });
    await governed.consistent();
  });

  it('answers as many as asked for, and no more', async () => {
    await submitMany(5);
    expect(await worker.lease({ limit: 3 })).toHaveLength(3);
    expect(await worker.lease({ limit: 20 })).toHaveLength(2);
    expect(await worker.lease({ limit: 20 })).toEqual([]);
    await desk.consistent();
  });

  it('serves the higher priority first, whatever the type', async () => {
    const byPriority: Record<string, string> = {};
    for (const priority of ['low', 'normal', 'high'] as const) {
      const type = priority === 'high' ? 'outside.b' : 'outside.a';
      byPriority[priority] = await submit({ type, priority });
    }
    const types = ['outside.a', 'outside.b'];
    const served: string[] = [];
    for (let i = 0; i < 3; i++) served.push(...idsOf(await worker.lease({ types })));
    expect(served).toEqual(jobPriorities.map((priority) => byPriority[priority]));
  });

  it('serves the oldest first, but for a few', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) {
      ids.push(await submit());
      await desk.clock.advance(1);
    }
    const served: string[] = [];
    for (let i = 0; i < 10; i++) served.push(...idsOf(await worker.lease()));
    served.forEach((id, place) => expect(ids.indexOf(id)).toBeLessThanOrEqual(place + 2));
  });

  it('answers jobs of the types asked for only', async () => {
    await submit({ type: 'outside.a' });
    expect(await worker.lease({ types: ['outside.b', 'outside.c'] })).toEqual([]);
  });

  it('refuses a type that the service works on by itself', async () => {
    await desk.submit();
    await expect(worker.lease({ types: [outsideType, 'test.note'] })).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ pointer: '/types' }],
    });
  });

  it('hands out no job of another tenant', async () => {
    await submit();
    const other = new JobDesk([], desk.deps, 'other');
    expect(await new OutsideWorker(other).lease()).toEqual([]);
  });

  it('hands out no job before its time', async () => {
    await submit({ notBeforeMs: startMs + 1000 });
    expect(await worker.lease()).toEqual([]);
    desk.clock.set(startMs + 1000);
    expect(await worker.lease()).toHaveLength(1);
  });

  it('hands out again what nobody reported on, when its lease is over', async () => {
    const id = await submit();
    const first = await worker.leaseOne({ leaseMs: 5000 });
    desk.clock.set(startMs + 4999);
    expect(await worker.lease()).toEqual([]);
    desk.clock.set(startMs + 5000);
    const other = new OutsideWorker(desk, 'other');
    const second = await other.leaseOne();
    expect(second.stored.value).toMatchObject({
      id,
      attempts: 2,
      error: { code: 'lease_lost', message: 'The worker was lost in attempt 1 of 5.' },
    });
    await expect(worker.complete(first)).rejects.toMatchObject({ code: 'lease_lost' });
    await other.complete(second);
    await desk.consistent();
  });

  it('finds a job dead whose worker was lost in the last attempt', async () => {
    const id = await submit({ maxAttempts: 1 });
    await worker.leaseOne({ leaseMs: 5000 });
    desk.clock.set(startMs + 5000);
    expect(await worker.lease()).toEqual([]);
    expect(await desk.job(id)).toMatchObject({ status: 'dead', error: { code: 'lease_lost' } });
    expect(desk.deps.metrics.told).toEqual([['jobEnded', 'other', 'dead', 5000]]);
    await desk.consistent();
  });

  it('gives no job to two of many workers, in one process or several', async () => {
    const ids = await submitMany(60);
    const workers = Array.from(
      { length: 9 },
      (_, n) => new OutsideWorker(n % 3 === 0 ? desk : desk.process({}), `crew-${n}`),
    );
    const served: string[] = [];
    for (let round = 0; round < 20 && served.length < 60; round++) {
      const asked = workers.map((each) => each.lease({ limit: 3 }));
      const all = await desk.whileTimePasses(() => Promise.all(asked));
      served.push(...all.flatMap(idsOf));
    }
    expect(served.toSorted()).toEqual(ids.toSorted());
    await desk.consistent();
  });

  it('leaves out what was cancelled while it was being leased', async () => {
    const [first, second] = await submitMany(2);
    const records = faultyRecords(desk.deps.records, {
      query: [{ after: () => desk.cancel(first!) }],
    });
    const leased = await new OutsideWorker(desk.process({ records })).lease({ limit: 2 });
    expect(idsOf(leased)).toEqual([second]);
    await desk.consistent();
  });

  it('hands over what it has begun although the rest fails', async () => {
    await submit({ priority: 'high' });
    await submit({ priority: 'low' });
    const records = faultyRecords(desk.deps.records, { query: ['none', 'not-written'] });
    const cut = new OutsideWorker(desk.process({ records }));
    expect(await cut.lease({ limit: 2 })).toHaveLength(1);
    await desk.consistent();
  });

  it('fails when nothing could be begun, and nothing was', async () => {
    await submitMany(2);
    const records = faultyRecords(desk.deps.records, ({ method }) =>
      method === 'commit' ? 'not-written' : undefined,
    );
    const cut = new OutsideWorker(desk.process({ records }));
    const asked = desk.whileTimePasses(() => cut.lease({ limit: 2 }));
    await expect(asked).rejects.toBeInstanceOf(Unavailable);
    expect(await worker.lease({ limit: 2 })).toHaveLength(2);
  });
});

describe('leaseJobs, waiting', () => {
  it('answers as soon as there is a job', async () => {
    const waiting = worker.lease({ waitMs: 20_000 });
    await desk.settle();
    const id = await submit();
    expect(idsOf(await desk.whileTimePasses(() => waiting))).toEqual([id]);
    expect(desk.clock.nowMs() - startMs).toBeLessThan(500);
  });

  it('gives each of two that wait a job of its own', async () => {
    const waits = [1, 2].map(() => worker.lease({ waitMs: 20_000 }));
    await desk.settle();
    const ids = await submitMany(2);
    const leased = await desk.whileTimePasses(() => Promise.all(waits));
    expect(leased.flatMap(idsOf).toSorted()).toEqual(ids.toSorted());
  });

  it('finds a job whose time has come, of which nobody tells', async () => {
    const id = await submit({ notBeforeMs: startMs + 5000 });
    const waiting = worker.lease({ waitMs: 20_000 });
    await desk.settle();
    desk.clock.set(startMs + 5000);
    expect(idsOf(await desk.whileTimePasses(() => waiting))).toEqual([id]);
  });

  it('answers nothing when the time is up', async () => {
    const waiting = worker.lease({ waitMs: 1000 });
    await desk.settle();
    desk.clock.set(startMs + 1000);
    expect(await desk.whileTimePasses(() => waiting)).toEqual([]);
  });

  it('ends at once when nobody waits for the answer any more, and begins nothing', async () => {
    const stop = new AbortController();
    const waiting = worker.lease({ waitMs: 20_000, stop: stop.signal });
    await desk.settle();
    stop.abort();
    const id = await submit();
    expect(await waiting).toEqual([]);
    expect(await worker.lease({ stop: stop.signal })).toEqual([]);
    expect((await desk.job(id)).status).toBe('queued');
    expect(desk.clock.sleeping).toBe(0);
  });

  it('looks at most 20 times a second, however the journals grow', async () => {
    const { port: records, calls } = countingRecords(desk.deps.records);
    const waiting = new OutsideWorker(desk.process({ records })).lease({ waitMs: 1000 });
    for (let i = 0; i < 100; i++) {
      await desk.submit({ type: 'outside.other' });
      await desk.clock.advance(10);
      await desk.settle();
    }
    expect(await desk.whileTimePasses(() => waiting)).toEqual([]);
    expect(calls.getMany).toBeGreaterThan(3);
    expect(calls.getMany).toBeLessThanOrEqual(22);
  });
});
