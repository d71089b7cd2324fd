import { describe, expect, it } from 'vitest';
import { enqueueJob } from '../../../src/core/jobs/enqueue-job.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import { relayJournal } from '../../../src/core/journal/relay-journal.ts';
import { checkParts, type PartHealth } from '../../../src/core/registry/check-parts.ts';
import {
  blobsPart,
  jobsPart,
  recordsPart,
  relayPart,
} from '../../../src/core/registry/own-parts.ts';
import { readHealth } from '../../../src/core/registry/read-health.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { slow } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryBlobs } from '../../support/memory-blobs.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { count, counting } from '../journal/notes.ts';
import { minuteMs, secondMs, ServiceDesk, startMs } from './service-desk.ts';

const green = async (): Promise<PartHealth> => ({ status: 'green', reason: 'fine' });

describe('the parts', () => {
  it('are asked all at once, each for itself', async () => {
    const deps = coreDeps({ clock: new ManualClock() });
    const { promise, resolve } = Promise.withResolvers<PartHealth>();
    const asked: string[] = [];
    const asking = checkParts(
      deps,
      {
        one: async (tenant) => {
          asked.push(tenant);
          return promise;
        },
        two: async (tenant) => {
          asked.push(tenant);
          resolve(await green());
          return { status: 'yellow', reason: 'so so' };
        },
        three: async () => {
          throw new Error('hush');
        },
      },
      'demo',
    );
    expect(asked).toEqual(['demo', 'demo']);
    expect(await asking).toEqual({
      one: { status: 'green', reason: 'fine' },
      two: { status: 'yellow', reason: 'so so' },
      three: { status: 'red', reason: 'failed' },
    });
    expect(deps.log.lines).toMatchObject([{ level: 'warn', part: 'three', error: Error('hush') }]);
    expect(deps.clock.sleeping).toBe(0);
  });

  it('are red when they do not answer, and yellow when they take long', async () => {
    const clock = new ManualClock();
    const deps = coreDeps({ clock });
    const takes = (ms: number) => async (): Promise<PartHealth> => {
      await clock.sleep(ms);
      return green();
    };
    const checks = { fast: takes(1000), slow: takes(1001), late: takes(60_000) };
    const asking = checkParts(deps, checks, 'demo');
    await clock.advance(2000);
    expect(await asking).toEqual({
      fast: { status: 'green', reason: 'fine' },
      slow: { status: 'yellow', reason: 'slow: took 1001 ms' },
      late: { status: 'red', reason: 'no answer in 2000 ms' },
    });
  });
});

describe('our own parts', () => {
  const ask = async (deps: CoreDeps, check: (tenant: string) => Promise<PartHealth>) =>
    (await checkParts(deps, { part: check }, 'demo'))['part'];

  it('records and blobs are green when they answer, with one call each', async () => {
    const clock = new ManualClock();
    const { port: records, calls } = countingRecords(memoryRecords(clock));
    const deps = coreDeps({ records, clock });
    expect(await ask(deps, recordsPart(deps))).toEqual({ status: 'green', reason: 'answers' });
    expect(await ask(deps, blobsPart(deps))).toEqual({ status: 'green', reason: 'answers' });
    expect(calls).toEqual({ get: 1, getMany: 0, query: 0, commit: 0 });
    const broken = coreDeps({
      clock,
      records: faultyRecords(records, { get: ['not-written'] }),
      blobs: faultyBlobs(memoryBlobs(), { head: ['not-written'] }),
    });
    expect(await ask(broken, recordsPart(broken))).toMatchObject({ status: 'red' });
    expect(await ask(broken, blobsPart(broken))).toMatchObject({ status: 'red' });
  });

  it('the relay is as late as the oldest entry that nobody was told of', async () => {
    const deps = coreDeps({ clock: new ManualClock() });
    const relay = () => ask(deps, relayPart(deps));
    expect(await relay()).toEqual({ status: 'green', reason: 'no event waits' });
    await count(deps);
    deps.clock.set(startMs + 20 * secondMs);
    await count(deps);
    await deps.lanes.commit(
      'demo#jobs-1',
      { tenant: 'demo', actor: 'ann', requestId: 'r' },
      counting(deps, 'x', { journal: 'demo#jobs-1' }).decide,
    );
    const reason = '3 of the journal wait to be told, the oldest for';
    expect(await relay()).toEqual({ status: 'green', reason: `${reason} 20 s` });
    deps.clock.set(startMs + 30 * secondMs);
    expect(await relay()).toEqual({ status: 'yellow', reason: `${reason} 30 s` });
    deps.clock.set(startMs + 5 * minuteMs);
    expect(await relay()).toEqual({ status: 'red', reason: `${reason} 300 s` });
    await relayJournal({ ...deps, eventsOf: () => [] }, 'demo');
    expect(await relay()).toEqual({
      status: 'yellow',
      reason: '1 of the journal wait to be told, the oldest for 280 s',
    });
    await relayJournal({ ...deps, eventsOf: () => [] }, 'demo#jobs-1');
    expect(await relay()).toEqual({ status: 'green', reason: 'no event waits' });
  });

  it('jobs are as late as the oldest that no worker has begun', async () => {
    const deps = coreDeps({ clock: new ManualClock() });
    const origin = { tenant: 'demo', actor: 'ann', requestId: 'r' };
    const enqueue = (type: string, notBeforeMs: number | null = null) =>
      enqueueJob(deps, origin, {
        type,
        data: {},
        priority: 'normal',
        subject: 'ann',
        notBeforeMs,
        maxAttempts: 3,
        idempotencyKey: null,
        reason: null,
      });
    const jobs = () => ask(deps, jobsPart(deps, ['ours', 'more']));
    expect(await jobs()).toEqual({ status: 'green', reason: 'no job waits' });
    const { id } = await enqueue('ours');
    await enqueue('more', startMs + 60 * minuteMs);
    await enqueue('theirs');
    deps.clock.set(startMs + 59 * secondMs);
    const reason = 'jobs wait for a worker, the oldest for';
    expect(await jobs()).toEqual({ status: 'green', reason: `${reason} 59 s` });
    deps.clock.set(startMs + minuteMs);
    expect(await jobs()).toEqual({ status: 'yellow', reason: `${reason} 60 s` });
    deps.clock.set(startMs + 10 * minuteMs);
    expect(await jobs()).toEqual({ status: 'red', reason: `${reason} 600 s` });
    const terms = { worker: 'w', leaseMs: minuteMs, movesPlace: false, metricType: 'ours' };
    await startAttempt(deps, origin, { tenant: 'demo', id }, terms);
    expect(await jobs()).toEqual({ status: 'green', reason: 'no job waits' });
  });
});

describe('overall health', () => {
  const well = (desk: ServiceDesk, more: Record<string, typeof green> = {}) =>
    readHealth(desk.deps, { stores: green, ...more }, 'demo');

  it('is green without services', async () => {
    expect(await well(new ServiceDesk())).toEqual({
      status: 'green',
      services: [],
      parts: {
        stores: { status: 'green', reason: 'fine' },
        probes: { status: 'green', reason: 'every service is probed in time' },
      },
    });
  });

  it('is the worst of the services and the parts', async () => {
    const desk = new ServiceDesk();
    await desk.put('a');
    expect((await well(desk)).status).toBe('green');
    desk.probe.answer = (url) => (url.includes('b.') ? 500 : 200);
    await desk.put('c', { secondaryUrl: 'https://b.example' });
    expect((await well(desk)).status).toBe('yellow');
    const red = async (): Promise<PartHealth> => ({ status: 'red', reason: 'gone' });
    expect((await well(desk, { bus: red })).status).toBe('red');
    await desk.put('b');
    const { status, services } = await well(desk);
    expect(status).toBe('red');
    expect(services.map(({ record, health }) => [record.manifest.name, health.status])).toEqual([
      ['a', 'green'],
      ['b', 'red'],
      ['c', 'yellow'],
    ]);
    expect((await readHealth(desk.deps, {}, 'other')).status).toBe('green');
  });

  it('tells when nobody probes any more', async () => {
    const desk = new ServiceDesk();
    await desk.put('a');
    await desk.put('b');
    const probes = async (afterMs: number) => {
      desk.deps.clock.set(startMs + afterMs);
      return (await well(desk)).parts['probes'];
    };
    expect(await probes(3 * minuteMs)).toMatchObject({ status: 'green' });
    await desk.probed('b', 0);
    expect(await probes(3 * minuteMs + 10 * secondMs)).toEqual({
      status: 'yellow',
      reason: 'the probe of a is overdue by 180 s',
    });
    expect(await probes(11 * minuteMs)).toMatchObject({ status: 'red' });
    await desk.probed('a', 0);
    await desk.probed('b', 0);
    expect(await probes(12 * minuteMs)).toMatchObject({ status: 'green' });
  });

  it('answers without the services when their records cannot be read', async () => {
    const clock = new ManualClock();
    const memory = memoryRecords(clock);
    const ask = async (records: RecordStore) => {
      const desk = new ServiceDesk({ records, clock });
      const asking = well(desk);
      await clock.advance(2 * secondMs);
      return asking;
    };
    await new ServiceDesk({ records: memory, clock }).put('a');
    expect((await ask(memory)).services).toHaveLength(1);
    const failing = faultyRecords(memory, { query: ['not-written'] });
    expect(await ask(failing)).toMatchObject({
      status: 'red',
      services: [],
      parts: { probes: { status: 'red', reason: 'failed' } },
    });
    const hanging = faultyRecords(memory, () => slow(200));
    expect(await ask(hanging)).toMatchObject({
      status: 'red',
      services: [],
      parts: { probes: { status: 'red', reason: 'no answer in 2000 ms' } },
    });
  });

  it('costs two queries, whatever the number of services', async () => {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const desk = new ServiceDesk({ records, clock });
    for (let i = 0; i < 20; i++) await desk.put(`s${i}`);
    reset();
    expect((await readHealth(desk.deps, {}, 'demo')).services).toHaveLength(20);
    expect(calls).toEqual({ get: 0, getMany: 0, query: 2, commit: 0 });
  });
});
