import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { eventDeliver } from '../../../src/core/events/event-delivery.ts';
import { fanOut } from '../../../src/core/events/fan-out.ts';
import type { Worker } from '../../../src/core/jobs/define-worker.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import { headKey, relayCursorKey } from '../../../src/core/journal/journal-keys.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { getRecord } from '../../../src/core/records.ts';
import { processDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { EventDesk, submitted } from './event-desk.ts';

/** `email voucher-submitted`, for each delivery there is. */
async function delivered(desk: EventDesk, tenant = 'demo') {
  const jobs = await desk.deliveries(tenant);
  return jobs
    .map(({ data }) => data as { readonly service: string; readonly type: string })
    .map(({ service, type }) => `${service} ${type}`)
    .sort();
}

/** The relay begins anew, as if its cursor had never been moved. */
async function forget(desk: EventDesk) {
  for (const journal of jobJournalsOf('demo', desk.deps.jobJournals)) {
    const key = relayCursorKey(journal);
    const held = await desk.deps.records.get(key);
    if (held === undefined) continue;
    const write = { kind: 'delete', key, expect: held.rev } as const;
    await desk.deps.records.commit([write], desk.deps.ids.next());
  }
}

describe('the fan-out of events', () => {
  it('makes a job for each service that subscribes to the type', async () => {
    const desk = new EventDesk();
    await desk.subscribe('email');
    await desk.subscribe('ledger');
    await desk.subscribe('other', 'voucher-paid');
    const { id } = await desk.publish();
    await desk.relay();
    expect(await delivered(desk)).toEqual([`email ${submitted}`, `ledger ${submitted}`]);
    const [job] = await desk.deliveries();
    expect(job).toMatchObject({
      status: 'queued',
      actor: 'hms-svc',
      requestId: 'request-1',
      data: { event: id, log: expect.stringMatching(/^jobs-[01]$/) as string },
    });
    await desk.consistent();
  });

  it('takes what jobs emit, and nothing that is our own', async () => {
    const desk = new EventDesk();
    const types = ['case.opened', 'policy.updated', 'job.completed', 'job.dead'];
    const subscribes = types.map((type) => ({ type, path: '/events' }));
    await desk.subscribe('crew', { events: { publishes: [], subscribes } });
    await desk.submit({ type: 'test.emit', data: null });
    await desk.workOnce('test.emit');
    await desk.relay();
    expect(await delivered(desk)).toEqual(['crew case.opened']);
    await desk.deliver();
    await desk.relay();
    expect(await delivered(desk)).toEqual(['crew case.opened']);
  });

  it('relayed again makes nothing twice, however often', async () => {
    const desk = new EventDesk();
    await desk.subscribe('email');
    await desk.publish();
    for (let times = 0; times < 3; times++) {
      await desk.relay();
      await forget(desk);
    }
    expect(await desk.deliveries()).toHaveLength(1);
    await desk.deliver();
    expect(desk.sent).toHaveLength(1);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'goes on after a relay that failed or died at commit %i, and misses nobody',
    async (nth) => {
      for (const fault of ['not-written', 'written-but-failed'] as const) {
        for (const after of ['none', 'not-written'] as const) {
          const desk = new EventDesk();
          for (const name of ['email', 'ledger', 'mayor']) await desk.subscribe(name);
          await desk.publish({ id: 'e-1' });
          await desk.publish({ id: 'e-2' });
          const done = { commits: 0 };
          const records = faultyRecords(desk.deps.records, ({ method }) => {
            if (method !== 'commit') return 'none';
            done.commits += 1;
            if (done.commits < nth) return 'none';
            return done.commits === nth ? fault : after;
          });
          const failing = processDeps(desk.deps, { records });
          const outcome = await desk.relay('demo', failing).catch((error: unknown) => error);
          if (outcome !== undefined) expect(outcome).toBeInstanceOf(Unavailable);
          await desk.relay();
          expect(await delivered(desk)).toEqual(
            ['email', 'email', 'ledger', 'ledger', 'mayor', 'mayor'].map(
              (name) => `${name} ${submitted}`,
            ),
          );
        }
      }
    },
  );

  it('repeated by a version that asks for other attempts makes nothing, and goes on', async () => {
    const desk = new EventDesk();
    await desk.subscribe('email');
    await desk.publish();
    await desk.relay();
    await forget(desk);
    const worker = desk.deps.workers.get(eventDeliver) as Worker;
    const workers = new Map([[eventDeliver, { ...worker, retry: { maxAttempts: 3 } }]]);
    const react = fanOut({ ...desk.deps, workers });
    for (const journal of jobJournalsOf('demo', desk.deps.jobJournals)) {
      const entries = await entriesAfter(desk.deps, journal, -1, 100);
      for (const entry of entries) await react(journal, entry);
    }
    expect((await desk.delivery()).maxAttempts).toBe(16);
  });

  it('leaves the relay where it is while the tenant has too many jobs', async () => {
    const desk = new EventDesk();
    await desk.subscribe('email');
    await desk.publish();
    const full = async (open: number) => {
      for (const journal of jobJournalsOf('demo', desk.deps.jobJournals)) {
        const key = headKey(journal);
        const held = await getRecord(desk.deps, key);
        const head = held?.value ?? { nextIndex: 0, at: new Date(0).toISOString() };
        const value = { ...head, tally: { 'test.note/waiting': open } };
        const write = { kind: 'put', key, value, expect: held?.rev ?? 'absent' } as const;
        await desk.deps.records.commit([write], desk.deps.ids.next());
      }
    };
    await full(jobLimits.maxOpenJobs);
    const late = { code: 'too_many_requests', retryable: true };
    await expect(desk.relay()).rejects.toMatchObject(late);
    await full(0);
    await desk.relay();
    expect(await desk.deliveries()).toHaveLength(1);
  });

  it('keeps tenants apart', async () => {
    const desk = new EventDesk();
    await desk.subscribe('email');
    await desk.subscribe('spy', submitted, 'other');
    await desk.publish();
    await desk.relay('demo');
    await desk.relay('other');
    expect(await delivered(desk)).toEqual([`email ${submitted}`]);
    expect(await delivered(desk, 'other')).toEqual([]);
  });

  it('knows of a service that subscribed a moment before, and not of one that left', async () => {
    const desk = new EventDesk();
    const react = fanOut(desk.deps);
    const journals = jobJournalsOf('demo', desk.deps.jobJournals);
    const reactAll = async () => {
      for (const journal of journals) {
        for (const entry of await entriesAfter(desk.deps, journal, -1, 100)) {
          await react(journal, entry);
        }
      }
    };
    await desk.publish({ id: 'e-1' });
    await reactAll();
    expect(await delivered(desk)).toEqual([]);
    await desk.subscribe('email');
    await reactAll();
    expect(await delivered(desk)).toEqual([`email ${submitted}`]);
    await desk.unregister('email');
    await desk.publish({ id: 'e-2' });
    await reactAll();
    expect(await delivered(desk)).toEqual([`email ${submitted}`]);
  });

  it('costs nothing for other entries, a read without services, and a query when they changed', async () => {
    const desk = new EventDesk();
    const { port: records, calls, reset } = countingRecords(desk.deps.records);
    const react = fanOut({ ...desk.deps, ...processDeps(desk.deps, { records }) });
    const reactTo = async (action: string) => {
      reset();
      for (const journal of jobJournalsOf('demo', desk.deps.jobJournals)) {
        const entries = await entriesAfter(desk.deps, journal, -1, 100);
        for (const entry of entries) if (entry.action === action) await react(journal, entry);
      }
      return { ...calls };
    };
    await desk.submit({ type: 'test.emit' });
    await desk.publish({ type: 'nobody-hears' });
    const none = { get: 0, getMany: 0, query: 0, commit: 0 };
    expect(await reactTo('job.queued')).toEqual(none);
    expect(await reactTo('event.published')).toEqual({ ...none, get: 1 });
    await desk.subscribe('email');
    expect(await reactTo('event.published')).toEqual({ ...none, get: 1, query: 1 });
    expect(await reactTo('event.published')).toEqual({ ...none, get: 1 });
  });
});
