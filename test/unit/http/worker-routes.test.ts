import { describe, expect, it } from 'vitest';
import { defineWorker } from '../../../src/core/jobs/define-worker.ts';
import { createApp } from '../../../src/http/app.ts';
import { workerRoutes } from '../../../src/http/handlers/worker-handlers.ts';
import { ApiDesk } from './api-desk.ts';
import { deskWithTime, enqueued, leased, lost, pageOf, taken, to } from './job-desk.ts';

describe('POST /jobs/lease', () => {
  it('gives a job to one worker, with all that it needs', async () => {
    const desk = new ApiDesk();
    const id = await enqueued(desk, { priority: 'high' });
    const [job, ...others] = await leased(desk, { limit: 20, leaseSeconds: 90 });
    expect(others).toEqual([]);
    expect(job).toEqual({
      id,
      number: expect.any(Number),
      type: 'mail.send',
      priority: 'high',
      actor: 'service',
      subject: 'service',
      createdAt: '2026-01-01T00:00:00.000Z',
      maxAttempts: 5,
      data: { to: 'ravi' },
      dataSizeBytes: null,
      dataPath: null,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      attempt: 1,
      lease: expect.stringMatching(/^[0-9a-f-]{36}$/),
      leaseUntil: '2026-01-01T00:01:30.000Z',
    });
    expect(await leased(desk)).toEqual([]);
    const page = await desk.ask('service', `GET /jobs/${id}`);
    expect(page.body).toMatchObject({
      status: 'processing',
      attempts: 1,
      worker: 'service',
      leaseUntil: '2026-01-01T00:01:30.000Z',
      nextAttemptAt: null,
    });
    expect(page.text).not.toContain(job?.lease);
    expect((await desk.ask('service', 'GET /jobs')).text).not.toContain(job?.lease);
    expect((await desk.ask('admin', 'GET /api/audit?log=jobs-0')).text).not.toContain(job?.lease);
    expect((await desk.ask('admin', 'GET /api/audit?log=jobs-1')).text).not.toContain(job?.lease);
  });

  it('says where data is that is too large to come along', async () => {
    const desk = new ApiDesk();
    const data = 'x'.repeat(300_000);
    const job = await taken(desk, { data });
    expect(job).toMatchObject({
      data: null,
      dataSizeBytes: 300_002,
      dataPath: `/jobs/${job.id}/data`,
    });
    const told = await desk.ask('service', `GET /jobs/${job.id}/data`);
    expect(JSON.parse(told.text)).toBe(data);
  });

  it('serves the highest priority first, of every type that is asked for', async () => {
    const desk = new ApiDesk();
    const normal = await enqueued(desk);
    const high = await enqueued(desk, { type: 'sms.send', priority: 'high' });
    await enqueued(desk, { type: 'fax.send', priority: 'high' });
    const types = ['mail.send', 'sms.send', 'mail.send'];
    const jobs = await leased(desk, { types, limit: 20 });
    expect(jobs.map(({ id }) => id)).toEqual([high, normal]);
  });

  it('waits for a job', async () => {
    const desk = deskWithTime();
    const waiting = leased(desk, { waitSeconds: 20 });
    await desk.deps.clock.advance(5500);
    const id = await enqueued(desk);
    await desk.deps.clock.advance(1000);
    expect((await waiting)[0]?.id).toBe(id);
    const inVain = leased(desk, { waitSeconds: 2 });
    await desk.deps.clock.advance(2000);
    expect(await inVain).toEqual([]);
  });

  it('gives nothing to who has gone away meanwhile', async () => {
    const desk = deskWithTime();
    const leaving = new AbortController();
    const asked = { json: { types: ['mail.send'], waitSeconds: 20 }, signal: leaving.signal };
    const answer = desk.open('service', 'POST /jobs/lease', asked);
    await desk.deps.clock.advance(100);
    leaving.abort();
    await desk.deps.clock.advance(0);
    expect(await (await answer).json()).toEqual({ jobs: [] });
    const id = await enqueued(desk);
    await desk.deps.clock.advance(20_000);
    expect(await pageOf(desk, { id })).toMatchObject({ status: 'queued' });
  });

  it('keeps nobody waiting when the server goes down', async () => {
    const { deps } = deskWithTime();
    const stop = new AbortController();
    const app = createApp(deps, workerRoutes({ ...deps, stop: stop.signal }));
    const answer = app.request('/jobs/lease', {
      method: 'POST',
      headers: { authorization: 'Bearer service', 'content-type': 'application/json' },
      body: JSON.stringify({ types: ['mail.send'], waitSeconds: 20 }),
    });
    await deps.clock.advance(100);
    stop.abort();
    expect(await (await answer).json()).toEqual({ jobs: [] });
  });

  it('lets no more wait than it can hold', async () => {
    const desk = deskWithTime();
    const asked = { json: { types: ['mail.send'], waitSeconds: 1 } };
    const ask = () => desk.open('service', 'POST /jobs/lease', asked);
    const waiting = Array.from({ length: 1000 }, ask);
    await desk.deps.clock.advance(0);
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    await desk.deps.clock.advance(1000);
    for (const each of waiting) expect((await each).status).toBe(200);
    expect(await leased(desk)).toEqual([]);
  });

  it('gives a job to another when its lease has ended', async () => {
    const desk = deskWithTime();
    const job = await taken(desk);
    await desk.deps.clock.advance(60_000);
    const [again] = await leased(desk);
    expect([again?.id, again?.attempt]).toEqual([job.id, 2]);
    await lost(desk, to(job, 'heartbeat'), { lease: job.lease });
    await lost(desk, to(job, 'progress'), { lease: job.lease, percent: 1 });
    await lost(desk, to(job, 'complete'), { lease: job.lease });
    await lost(desk, to(job, 'fail'), { lease: job.lease, message: 'no' });
    await desk.done('service', to(job, 'complete'), { json: { lease: again?.lease } });
  });

  it('is not for what the service does by itself, nor for who may not', async () => {
    const schema = { '~standard': { validate: (value: unknown) => ({ value }) } };
    const own = defineWorker({ type: 'mail.send', schema, handler: async () => null });
    const desk = new ApiDesk({}, new Map([[own.type, own]]));
    const json = { types: ['sms.send', 'mail.send'] };
    expect(await desk.refused(400, 'service', 'POST /jobs/lease', { json })).toEqual(['/types']);
    await desk.refused(403, 'editor', 'POST /jobs/lease', { json });
  });

  it.each([
    ['no types', { types: [] }, '/types'],
    ['a type that is none', { types: ['Mail'] }, '/types/0'],
    ['too many types', { types: Array.from({ length: 21 }, (_, at) => `t${at}`) }, '/types'],
    ['too many jobs', { limit: 21 }, '/limit'],
    ['too short a lease', { leaseSeconds: 4 }, '/leaseSeconds'],
    ['too long a lease', { leaseSeconds: 3601 }, '/leaseSeconds'],
    ['too long a wait', { waitSeconds: 21 }, '/waitSeconds'],
  ])('refuses %s', async (_, more, pointer) => {
    const json = { types: ['mail.send'], ...more };
    expect(await new ApiDesk().refused(400, 'service', 'POST /jobs/lease', { json })).toEqual([
      pointer,
    ]);
  });
});

describe('a worker that goes on', () => {
  it('keeps its lease by a heartbeat, and never shortens it', async () => {
    const desk = deskWithTime();
    const job = await taken(desk);
    await desk.deps.clock.advance(50_000);
    const beat = async (more: object) =>
      (await desk.done('service', to(job, 'heartbeat'), { json: { lease: job.lease, ...more } }))[
        'leaseUntil'
      ];
    expect(await beat({ leaseSeconds: 5 })).toBe(job.leaseUntil);
    expect(await beat({})).toBe('2026-01-01T00:01:50.000Z');
    expect(await beat({ leaseSeconds: 3600 })).toBe('2026-01-01T01:00:50.000Z');
    expect(await beat({})).toBe('2026-01-01T01:00:50.000Z');
    await desk.deps.clock.advance(3_599_000);
    expect(await leased(desk)).toEqual([]);
    expect(await pageOf(desk, job)).toMatchObject({ leaseUntil: '2026-01-01T01:00:50.000Z' });
  });

  it('tells how far it has come, and keeps its lease by it', async () => {
    const desk = deskWithTime();
    const job = await taken(desk);
    await desk.deps.clock.advance(50_000);
    const json = { lease: job.lease, percent: 12.5, note: '10 of 80' };
    const told = await desk.done('service', to(job, 'progress'), { json });
    expect(told).toEqual({ leaseUntil: '2026-01-01T00:01:50.000Z' });
    expect(await pageOf(desk, job)).toMatchObject({
      progress: { percent: 12.5, note: '10 of 80', at: '2026-01-01T00:00:50.000Z' },
      leaseUntil: '2026-01-01T00:01:50.000Z',
    });
    for (const percent of [-1, 100.5, '5']) {
      const wrong = { json: { lease: job.lease, percent } };
      expect(await desk.refused(400, 'service', to(job, 'progress'), wrong)).toEqual(['/percent']);
    }
    await desk.done('service', to(job, 'complete'), { json: { lease: job.lease } });
    expect(await pageOf(desk, job)).toMatchObject({
      status: 'completed',
      progress: { percent: 100, note: null, at: '2026-01-01T00:00:50.000Z' },
    });
  });

  it('has told how far it came, when it did not come to the end', async () => {
    const desk = deskWithTime();
    const job = await taken(desk);
    const { lease } = job;
    await desk.done('service', to(job, 'progress'), { json: { lease, percent: 10 } });
    const reject = { validator: 'address', reason: 'nobody lives there' };
    await desk.done('service', to(job, 'fail'), { json: { lease, reject } });
    const page = await pageOf(desk, job);
    expect(page).toMatchObject({ status: 'rejected', progress: { percent: 10 } });
  });

  it('finds out that its job was cancelled', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    await desk.done('service', `DELETE /jobs/${job.id}`);
    await lost(desk, to(job, 'heartbeat'), { lease: job.lease });
    await lost(desk, to(job, 'complete'), { lease: job.lease });
    expect(await pageOf(desk, job)).toMatchObject({ status: 'cancelled', worker: null });
  });

  it('is heard with its own lease, in its own tenant', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const other = await taken(desk);
    for (const [verb, more] of [
      ['heartbeat', {}],
      ['progress', { percent: 1 }],
      ['complete', {}],
      ['fail', { message: 'no' }],
    ] as const) {
      await lost(desk, to(job, verb), { lease: other.lease, ...more });
      const asked = { json: { lease: job.lease, ...more } };
      await desk.refused(404, 'stranger', to(job, verb), asked);
      await desk.refused(403, 'editor', to(job, verb), asked);
      expect(await desk.refused(400, 'service', to(job, verb), { json: more })).toEqual(['/lease']);
    }
    expect(await pageOf(desk, job)).toMatchObject({ status: 'processing', progress: null });
  });
});
