import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { defineWorker } from '../../../src/core/jobs/define-worker.ts';
import { requireJob } from '../../../src/core/jobs/change-job.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { ApiDesk } from './api-desk.ts';
import type { Told } from './asked-app.ts';
import { dead, enqueued } from './job-desk.ts';

const pothole = defineWorker({
  type: 'pothole.report',
  schema: z.object({ lat: z.number(), lon: z.number() }),
  retry: { maxAttempts: 3 },
  handler: async () => null,
});

const workers = new Map([[pothole.type, pothole]]);
const data = { lat: 38.9, lon: -77.03 };

const recordOf = async (desk: ApiDesk, id: string) =>
  (await requireJob(desk.deps, { tenant: 'demo', id })).value;

const turnsOf = (desk: ApiDesk, type: string) =>
  desk.deps.queue.receive(type, { max: 10, hideMs: 1000, waitMs: 0 });

describe('POST /jobs', () => {
  it.each(['claim.review', 'test.internal'])(
    'takes no job of the type %s, whose jobs come of something else',
    async (type) => {
      const internal = defineWorker<unknown>({
        type: 'test.internal',
        isInternal: true,
        schema: { '~standard': { validate: (value) => ({ value }) } },
        handler: async () => null,
      });
      const desk = new ApiDesk({}, new Map([[internal.type, internal]]));
      const told = await desk.ask('service', 'POST /jobs', { json: { type, data: null } });
      expect([told.status, told.body['errors']]).toEqual([
        400,
        [{ pointer: '/type', detail: expect.any(String) }],
      ]);
    },
  );

  it('takes a job on, and says where it is', async () => {
    const desk = new ApiDesk({}, workers);
    const json = { type: 'pothole.report', data, priority: 'high', reason: 'by phone' };
    const told = await desk.ask('service', 'POST /jobs', { json });
    const id = String(told.body['id']);
    expect([told.status, told.body]).toEqual([202, { id, status: 'queued' }]);
    expect(told.headers.get('location')).toBe(`/jobs/${id}`);
    expect(told.headers.get('idempotent-replayed')).toBeNull();
    expect(await desk.done('service', `GET /jobs/${id}`)).toEqual({
      id,
      number: expect.any(Number),
      type: 'pothole.report',
      status: 'queued',
      priority: 'high',
      actor: 'service',
      subject: 'service',
      createdAt: '2026-01-01T00:00:00.000Z',
      nextAttemptAt: '2026-01-01T00:00:00.000Z',
      attempts: 0,
      maxAttempts: 3,
      worker: null,
      leaseUntil: null,
      progress: null,
      error: null,
      endedAt: null,
      data,
      dataSizeBytes: null,
      dataPath: null,
      log: expect.stringMatching(/^jobs-[01]$/),
      result: null,
      history: [
        {
          at: '2026-01-01T00:00:00.000Z',
          status: 'queued',
          attempt: 0,
          by: 'service',
          detail: null,
        },
      ],
    });
    expect(await turnsOf(desk, 'pothole.report')).toMatchObject([{ tenant: 'demo', id }]);
  });

  it('gives no turn to what workers outside do, who ask for it', async () => {
    const desk = new ApiDesk({}, workers);
    await enqueued(desk);
    expect(await turnsOf(desk, 'mail.send')).toEqual([]);
  });

  it('has it wait, and tried as often as is asked', async () => {
    const desk = new ApiDesk({}, workers);
    const base = { type: 'pothole.report', data };
    const later = await enqueued(desk, { ...base, delaySeconds: 90, maxAttempts: 25 });
    const at = '2026-01-01T02:00:00+01:00';
    const atTime = await enqueued(desk, { ...base, notBefore: at });
    expect(await desk.done('service', `GET /jobs/${later}`)).toMatchObject({
      maxAttempts: 25,
      nextAttemptAt: '2026-01-01T00:01:30.000Z',
    });
    expect(await desk.done('service', `GET /jobs/${atTime}`)).toMatchObject({
      maxAttempts: 3,
      nextAttemptAt: '2026-01-01T01:00:00.000Z',
    });
    expect(await turnsOf(desk, 'pothole.report')).toEqual([]);
    await desk.deps.clock.advance(90_000);
    expect(await turnsOf(desk, 'pothole.report')).toMatchObject([{ id: later }]);
  });

  it.each([
    ['no type', { type: undefined }, ['/type']],
    ['a type that is none', { type: 'Pothole Report' }, ['/type']],
    ['too long a type', { type: 'x'.repeat(65) }, ['/type']],
    ['no data', { data: undefined }, ['/data']],
    ['a priority that is none', { priority: 'urgent' }, ['/priority']],
    ['too many attempts', { maxAttempts: 26 }, ['/maxAttempts']],
    ['a time without a zone', { notBefore: '2026-01-01T00:00:00' }, ['/notBefore']],
    ['a time too far away', { notBefore: '2026-04-02T00:00:00Z' }, ['/notBefore']],
    ['a delay that is too long', { delaySeconds: 7_776_001 }, ['/delaySeconds']],
    ['two times', { delaySeconds: 1, notBefore: '2026-01-01T00:00:00Z' }, ['/delaySeconds']],
    ['a misspelt option', { delay: 1 }, ['']],
  ])('refuses %s, and names the place', async (_, more, pointers) => {
    const desk = new ApiDesk();
    const json = { type: 'mail.send', data: null, ...more };
    expect(await desk.refused(400, 'service', 'POST /jobs', { json })).toEqual(pointers);
    expect(await desk.done('service', 'GET /jobs')).toEqual({ items: [], next: null });
  });

  it('checks data that one of our own workers is to get', async () => {
    const desk = new ApiDesk({}, workers);
    const json = { type: 'pothole.report', data: { lat: 'north', lon: 1 } };
    expect(await desk.refused(400, 'service', 'POST /jobs', { json })).toEqual(['/data/lat']);
  });

  it.each([
    ['nested too deep', `${'['.repeat(32)}${']'.repeat(32)}`, ['']],
    ['a name twice', '{"a":1,"a":2}', ['']],
    ['a number that no double holds', '[1, {"a": 1e999}]', ['/data']],
  ])('refuses data with %s', async (_, json, pointers) => {
    const desk = new ApiDesk();
    const body = `{"type":"mail.send","data":${json}}`;
    expect(await desk.refused(400, 'service', 'POST /jobs', { body })).toEqual(pointers);
  });

  it('keeps large data elsewhere, up to 5 MiB', async () => {
    const desk = new ApiDesk();
    const small = { text: 'x'.repeat(200 * 1024 - 11) };
    const large = { text: 'x'.repeat(200 * 1024 - 10) };
    const [inline, stored] = [
      await enqueued(desk, { data: small }),
      await enqueued(desk, { data: large }),
    ];
    const page = await desk.done('service', `GET /jobs/${inline}`);
    expect(page).toMatchObject({ data: small, dataSizeBytes: null, dataPath: null });
    expect(await desk.done('service', `GET /jobs/${inline}/data`)).toEqual(small);
    const path = `/jobs/${stored}/data`;
    expect(await desk.done('service', `GET /jobs/${stored}`)).toMatchObject({
      data: null,
      dataSizeBytes: 200 * 1024 + 1,
      dataPath: path,
    });
    expect(await desk.done('service', `GET ${path}` as 'GET /')).toEqual(large);
    await desk.refused(404, 'stranger', `GET ${path}` as 'GET /');
    const tooLarge = { type: 'mail.send', data: 'x'.repeat(5 * 1024 * 1024) };
    await desk.refused(413, 'service', 'POST /jobs', { json: tooLarge });
  });

  it('is on behalf of whom a caller may speak for', async () => {
    const desk = new ApiDesk();
    const asked = {
      json: { type: 'mail.send', data: null },
      headers: { 'x-subject': 'ravi', 'x-region': 'NCR' },
    };
    await desk.refused(403, 'service', 'POST /jobs', asked);
    const { id } = await desk.done('admin', 'POST /jobs', asked);
    const page = await desk.done('service', `GET /jobs/${String(id)}`);
    expect(page).toMatchObject({ actor: 'admin', subject: 'ravi' });
    expect(await recordOf(desk, String(id))).toMatchObject({ subject: 'ravi', region: 'NCR' });
  });

  it('is for those who may', async () => {
    const desk = new ApiDesk();
    const id = await enqueued(desk);
    await desk.refused(403, 'reader', 'POST /jobs', { json: {} });
    for (const call of ['GET /jobs', `GET /jobs/${id}`, `POST /jobs/${id}/retry`] as const) {
      await desk.refused(403, 'reader', call);
    }
    await desk.refused(404, 'stranger', `GET /jobs/${id}`);
    await desk.refused(404, 'stranger', `DELETE /jobs/${id}`);
    expect(await desk.refused(400, 'service', 'GET /jobs/7')).toEqual(['path:job']);
    expect(await recordOf(desk, id)).toMatchObject({ status: 'queued' });
  });
});

describe('an Idempotency-Key', () => {
  const json = { type: 'pothole.report', data };

  function under(
    desk: ApiDesk,
    key: string,
    more: object = {},
    who: 'service' | 'admin' = 'service',
  ) {
    const headers = { 'idempotency-key': key };
    return desk.ask(who, 'POST /jobs', { json: { ...json, ...more }, headers });
  }

  const answerOf = ({ status, headers, body }: Told) => ({
    status,
    body,
    location: headers.get('location'),
  });

  it('makes a repeat no other job, with quotes around it or none', async () => {
    const desk = new ApiDesk({}, workers);
    const first = await under(desk, 'a \\"b\\"');
    const again = await under(desk, 'a \\"b\\"');
    expect(answerOf(again)).toEqual(answerOf(first));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    // Also when it has come further by now.
    await dead(desk, String(first.body['id']));
    expect(answerOf(await under(desk, 'a \\"b\\"'))).toEqual(answerOf(first));
    const plain = await under(desk, 'a "b"');
    expect(plain.body['id']).not.toBe(first.body['id']);
    expect(answerOf(await under(desk, '"a \\"b\\""'))).toEqual(answerOf(plain));
    expect(await turnsOf(desk, 'pothole.report')).toHaveLength(2);
  });

  it('makes a repeat no other job, whenever it comes', async () => {
    const desk = new ApiDesk({}, workers);
    const first = await under(desk, 'k', { delaySeconds: 60 });
    await desk.deps.clock.advance(10_000);
    const again = await under(desk, 'k', { delaySeconds: 60 });
    expect(answerOf(again)).toEqual(answerOf(first));
  });

  it('belongs to one request of one caller', async () => {
    const desk = new ApiDesk({}, workers);
    const { body } = await under(desk, 'k');
    const told = await under(desk, 'k', { priority: 'low' });
    expect([told.status, told.body['code']]).toEqual([422, 'idempotency_key_reused']);
    expect((await under(desk, 'k', {}, 'admin')).body['id']).not.toBe(body['id']);
  });

  it.each(['""', '"a', '"a"b', '"a\\b"', 'x'.repeat(256), 'caf\u00e9', '"a", "b"'])(
    'is refused when it is %s',
    async (key) => {
      const desk = new ApiDesk();
      const asked = { json: { type: 'mail.send', data: 1 }, headers: { 'idempotency-key': key } };
      expect(await desk.refused(400, 'service', 'POST /jobs', asked)).toEqual([
        'header:idempotency-key',
      ]);
    },
  );

  it('is taken at its full length', async () => {
    const desk = new ApiDesk({}, workers);
    const key = 'x'.repeat(255);
    const { body } = await under(desk, key);
    expect((await under(desk, `"${key}"`)).body).toEqual(body);
  });
});

describe('POST /jobs/{job}/retry', () => {
  it('has a dead job tried anew, and gives it its turn', async () => {
    const desk = new ApiDesk({}, workers);
    const id = await enqueued(desk, { type: 'pothole.report', data });
    await desk.deps.queue.remove((await turnsOf(desk, 'pothole.report'))[0] ?? fail());
    await dead(desk, id);
    expect(await desk.done('service', `GET /jobs/${id}`)).toMatchObject({
      status: 'dead',
      attempts: 1,
      nextAttemptAt: null,
      error: { code: 'no_use', message: 'no use', validator: null },
    });
    const json = { reason: 'the crew is back' };
    const told = await desk.done('service', `POST /jobs/${id}/retry`, { json });
    expect(told).toMatchObject({ status: 'queued', attempts: 0, endedAt: null });
    expect((told['history'] as object[]).at(-1)).toMatchObject({ detail: 'the crew is back' });
    expect(await desk.done('service', `GET /jobs/${id}`)).toEqual(told);
    expect(await turnsOf(desk, 'pothole.report')).toMatchObject([{ id }]);
  });

  it('answers also when the queue does not: its turn is found later', async () => {
    const send = async () => {
      throw new Unavailable('gone');
    };
    const desk = new ApiDesk({}, workers);
    const id = await enqueued(desk, { type: 'pothole.report', data });
    await dead(desk, id);
    const { records, clock, blobs, lanes, ids } = desk.deps;
    const queue = { ...desk.deps.queue, send };
    const broken = new ApiDesk({ records, clock, blobs, lanes, ids, queue }, workers);
    await broken.done('service', `POST /jobs/${id}/retry`);
    expect(broken.deps.log.lines).toContainEqual(expect.objectContaining({ msg: 'job not sent' }));
  });

  it('gives no turn to what workers outside do', async () => {
    const desk = new ApiDesk({}, workers);
    const id = await enqueued(desk);
    await dead(desk, id);
    expect(await desk.done('service', `POST /jobs/${id}/retry`)).toMatchObject({
      status: 'queued',
    });
    expect(await turnsOf(desk, 'mail.send')).toEqual([]);
  });

  it('leaves a job that waits where it is, and refuses one that is done with', async () => {
    const desk = new ApiDesk();
    const id = await enqueued(desk, { delaySeconds: 60 });
    const told = await desk.done('service', `POST /jobs/${id}/retry`);
    expect(told).toMatchObject({ nextAttemptAt: '2026-01-01T00:01:00.000Z' });
    await desk.done('service', `DELETE /jobs/${id}`);
    const refused = await desk.ask('service', `POST /jobs/${id}/retry`);
    expect([refused.status, refused.body['code']]).toEqual([409, 'job_not_open']);
  });
});

describe('DELETE /jobs/{job}', () => {
  it('gives a job up, once, with its reason', async () => {
    const desk = new ApiDesk();
    const id = await enqueued(desk);
    const headers = { 'x-reason': 'filed twice' };
    const told = await desk.done('service', `DELETE /jobs/${id}`, { headers });
    expect(told).toMatchObject({
      status: 'cancelled',
      nextAttemptAt: null,
      endedAt: '2026-01-01T00:00:00.000Z',
      history: [{ status: 'queued' }, { status: 'cancelled', detail: 'filed twice' }],
    });
    expect(await desk.done('admin', `DELETE /jobs/${id}`)).toEqual(told);
  });

  it('gives a dead one up as well', async () => {
    const desk = new ApiDesk();
    const id = await enqueued(desk);
    await dead(desk, id);
    expect(await desk.done('service', `DELETE /jobs/${id}`)).toMatchObject({ status: 'cancelled' });
    expect(await desk.done('service', 'GET /jobs?status=dead')).toMatchObject({ items: [] });
  });
});

function fail(): never {
  throw new Error('There is no turn.');
}
