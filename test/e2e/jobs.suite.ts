import { describe, expect, it } from 'vitest';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { workerOperations } from '../../src/contract/operations/worker-operations.ts';
import type { Operation } from '../../src/contract/operation.ts';
import type { ErrorCode } from '../../src/core/errors/app-error.ts';
import { useCast } from '../support/cast.ts';
import {
  complete,
  enqueue,
  journalOfJob,
  type LeasedJob,
  lease,
  leaseOne,
  readJob,
  reportOf,
} from '../support/job-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { type StartService, withoutScope } from '../support/service.ts';
import { clientFor, type CallInput, type ServiceClient } from '../support/service-client.ts';

const { enqueueJob, getJob, getJobData, listJobs, retryJob, cancelJob } = jobOperations;
const { leaseJobs, heartbeatJob, reportProgress, completeJob, failJob } = workerOperations;
const noJob = '01a1fa1c-4906-7065-9f47-fcf9f8ab7a80';

/** How jobs are handed in, found and kept from others, and what is refused. */
export function describeJobs(name: string, start: StartService): void {
  describe(`${name}: jobs`, () => {
    const cast = useCast(start);

    it('asked twice under one key are one job; the key is the caller’s own', async () => {
      const { reader, auditor, service } = cast;
      const type = uniqueId('once');
      const headers = { 'idempotency-key': `"${uniqueId('key')}"` };
      const json = { type, data: { page: 1, of: [1, 2.5, null, 'ü'] } };
      const first = await reader.call(enqueueJob, { json, headers });
      expect(first.headers.get('idempotent-replayed')).toBeNull();
      const bare = { 'idempotency-key': headers['idempotency-key'].slice(1, -1) };
      for (const [asked, sent] of [
        [json, headers],
        [json, bare],
        // When it is to be started is no part of what is asked.
        [{ ...json, delaySeconds: 60 }, headers],
      ] as const) {
        const again = await reader.call(enqueueJob, { json: asked, headers: sent });
        expect(again.body).toEqual(first.body);
        expect(again.headers.get('location')).toBe(first.headers.get('location'));
        expect(again.headers.get('idempotent-replayed')).toBe('true');
      }
      for (const other of [
        { ...json, type: uniqueId('other') },
        { ...json, data: { ...json.data, page: 2 } },
        { ...json, priority: 'high' },
        { ...json, maxAttempts: 2 },
      ]) {
        await reader.refuse(enqueueJob, { json: other, headers }, 'idempotency_key_reused');
      }
      expect(await idsOf(type)).toEqual([first.body.id]);
      const [queued, ...more] = await journalOfJob(auditor, service, first.body.id);
      expect([queued?.action, more]).toEqual(['job.queued', []]);
      const admin = await clientFor(service, 'demo-admin');
      const anothers = await admin.call(enqueueJob, { json, headers });
      expect(anothers.body.id).not.toBe(first.body.id);
      await drain(type, 2);
      // The key is remembered when the job has ended, too.
      const late = await reader.call(enqueueJob, { json, headers });
      expect(late.body.id).toBe(first.body.id);
    });

    it('asked twenty times at once under one key are one job', async () => {
      const { reader } = cast;
      const type = uniqueId('at-once');
      const headers = { 'idempotency-key': uniqueId('key') };
      const asked = { json: { type, data: 'x'.repeat(1000) }, headers };
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => reader.call(enqueueJob, asked)),
      );
      const ids = new Set(answers.map(({ body }) => body.id));
      expect([...ids]).toEqual(await idsOf(type));
      const fresh = answers.filter((answer) => !answer.headers.has('idempotent-replayed'));
      expect(fresh).toHaveLength(1);
      await drain(type, 1);
    });

    it('with large data keep it elsewhere, and give it back as it was', async () => {
      const { reader } = cast;
      const type = uniqueId('large');
      const data = { text: 'Größe "1"\\\n'.repeat(28_000), list: [1, [], {}, null, 1e-7] };
      const sizeBytes = Buffer.byteLength(JSON.stringify(data));
      expect(sizeBytes).toBeGreaterThan(300_000);
      const id = await enqueue(reader, { type, data });
      const there = { data: null, dataSizeBytes: sizeBytes, dataPath: `/jobs/${id}/data` };
      expect(await readJob(reader, id)).toMatchObject({ ...there, status: 'queued' });
      const held = await leaseOne(reader, type);
      expect(held).toMatchObject({ id, ...there });
      const whole = await reader.call(getJobData, { params: { job: id } });
      expect(whole.body).toEqual(data);
      await complete(reader, held);
      expect((await reader.call(getJobData, { params: { job: id } })).body).toEqual(data);
      const small = await enqueue(reader, { type, data: 'small' });
      expect(await readJob(reader, small)).toMatchObject({ data: 'small', dataPath: null });
      expect((await reader.call(getJobData, { params: { job: small } })).body).toBe('small');
      await drain(type, 1);
    });

    it('take any JSON as data, and give back the very same', async () => {
      const type = uniqueId('any');
      const odd = [
        null,
        0,
        -0.5,
        1.7976931348623157e308,
        '',
        '\u0000\u001f\u2028 \u{1f6a7} ü',
        [[]],
        { '': { ' ': [{}] }, 'a/b~c': '#', hasOwnProperty: 1 },
        nested(31),
        // Half a character, and a name of the prototype.
        JSON.parse(String.raw`["\ud800", {"__proto__": {"type": "a.b"}}]`) as unknown,
      ];
      for (const data of odd) {
        const id = await enqueue(cast.reader, { type, data });
        const { data: given } = await readJob(cast.reader, id);
        expect(JSON.stringify(given)).toBe(JSON.stringify(data));
      }
      await drain(type, odd.length);
    });

    it('are listed by type and status, page by page, newest first', async () => {
      const { reader } = cast;
      const type = uniqueId('listed');
      const ids: string[] = [];
      for (const place of [0, 1, 2, 3, 4]) {
        const priority = place === 3 ? 'high' : 'normal';
        ids.push(await enqueue(reader, { type, priority }));
      }
      const byTurn = [ids[3], ids[0], ids[1], ids[2], ids[4]];
      expect(await idsOf(type)).toEqual([...ids].reverse());
      expect(await idsOf(type, { limit: 2 })).toEqual([...ids].reverse());
      expect(await idsOf(type, { status: 'queued' })).toEqual(byTurn);
      expect(await idsOf(type, { status: 'queued', limit: 1 })).toEqual(byTurn);
      const held = await leaseOne(reader, type);
      expect(await idsOf(type, { status: 'processing' })).toEqual([held.id]);
      await complete(reader, held);
      expect(await idsOf(type, { status: 'completed' })).toEqual([held.id]);
      expect(await idsOf(type, { status: 'processing' })).toEqual([]);
      expect(await idsOf(type, { status: 'dead' })).toEqual([]);
      await drain(type, 4);
      for (const [query, pointer] of [
        [{ status: 'done' }, 'query:status'],
        [{ type: 'A' }, 'query:type'],
        [{ limit: 0 }, 'query:limit'],
        [{ cursor: 'x' }, 'query:cursor'],
      ] as const) {
        const { errors = [] } = await reader.refuse(listJobs, { query }, 'invalid_request');
        expect(errors.map((error) => error.pointer)).toEqual([pointer]);
      }
    });

    it.each<[what: string, json: object, pointer: string]>([
      ['no type', { data: 1 }, '/type'],
      ['no data', { type: 'a.b' }, '/data'],
      ['an empty type', { type: '', data: 1 }, '/type'],
      ['a type in upper case', { type: 'Pothole', data: 1 }, '/type'],
      ['a type with a gap', { type: 'a..b', data: 1 }, '/type'],
      ['a type that is a path', { type: '../jobs', data: 1 }, '/type'],
      ['a type that is a key', { type: 'a#b', data: 1 }, '/type'],
      ['a type of the prototype', { type: '__proto__', data: 1 }, '/type'],
      ['a long type', { type: 'a'.repeat(65), data: 1 }, '/type'],
      ['a number for a type', { type: 7, data: 1 }, '/type'],
      ['an unknown member', { type: 'a.b', data: 1, status: 'completed' }, ''],
      ['an unknown priority', { type: 'a.b', data: 1, priority: 'urgent' }, '/priority'],
      ['no attempt', { type: 'a.b', data: 1, maxAttempts: 0 }, '/maxAttempts'],
      ['too many attempts', { type: 'a.b', data: 1, maxAttempts: 26 }, '/maxAttempts'],
      ['a delay back in time', { type: 'a.b', data: 1, delaySeconds: -1 }, '/delaySeconds'],
      ['a delay of 91 days', { type: 'a.b', data: 1, delaySeconds: 91 * 86_400 }, '/delaySeconds'],
      ['a time in 91 days', { type: 'a.b', data: 1, notBefore: daysAhead(91) }, '/notBefore'],
      ['no time', { type: 'a.b', data: 1, notBefore: 'tomorrow' }, '/notBefore'],
      [
        'two times',
        { type: 'a.b', data: 1, notBefore: daysAhead(1), delaySeconds: 1 },
        '/delaySeconds',
      ],
      ['two lines of reason', { type: 'a.b', data: 1, reason: 'a\nb' }, '/reason'],
      ['a latitude of 91', pothole({ lat: 91 }), '/data/lat'],
      ['a longitude that is a text', pothole({ lon: '7' }), '/data/lon'],
      ['no description', pothole({ description: undefined }), '/data/description'],
      ['two lines of description', pothole({ description: 'a\nb' }), '/data/description'],
      ['more than was asked', pothole({ urgency: 'critical' }), '/data'],
      ['data of another kind', { type: 'case.close', data: { case: 'CLM-1' } }, '/data/case'],
    ])('are refused: %s', async (_, json, pointer) => {
      const before = await newest();
      const { errors = [] } = await cast.reader.refuse(enqueueJob, { json }, 'invalid_request');
      expect(errors.map((error) => error.pointer)).toContain(pointer);
      expect(await newest()).toEqual(before);
    });

    it.each<[what: string, body: string, code: ErrorCode]>([
      [
        'too deep',
        `{"type":"a.b","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        'invalid_request',
      ],
      [
        'a level too deep',
        `{"type":"a.b","data":${JSON.stringify(nested(32))}}`,
        'invalid_request',
      ],
      ['a name twice', '{"type":"a.b","data":{"a":1,"a":2}}', 'invalid_request'],
      ['a number that no double holds', '{"type":"a.b","data":[1e400]}', 'invalid_request'],
      ['half of it', '{"type":"a.b","data":', 'invalid_request'],
      ['too large', `{"type":"a.b","data":"${'x'.repeat(5 * 1024 * 1024)}"}`, 'too_large'],
    ])('are refused as JSON: %s', async (_, bytes, code) => {
      const before = await newest();
      const contentType = 'application/json';
      await cast.reader.refuse(enqueueJob, { bytes, contentType }, code);
      expect(await newest()).toEqual(before);
    });

    it('are refused with a key that is none', async () => {
      const before = await newest();
      for (const key of ['""', '"', '"a" "b"', 'k'.repeat(256), '"a', 'a\tb']) {
        const input = { json: { type: 'a.b', data: 1 }, headers: { 'idempotency-key': key } };
        const { errors = [] } = await cast.reader.refuse(enqueueJob, input, 'invalid_request');
        expect(errors.map(({ pointer }) => pointer)).toEqual(['header:idempotency-key']);
      }
      expect(await newest()).toEqual(before);
    });

    it('are not found by another tenant, whatever it knows of them', async () => {
      const { reader, stranger } = cast;
      const type = uniqueId('ours');
      const id = await enqueue(reader, { type, data: { secret: 1 } });
      const held = await leaseOne(reader, type);
      const untouched = await readJob(reader, id);
      const params = { job: id };
      for (const [operation, input] of callsAbout(held)) {
        const told = await stranger.refuse(operation, input, 'not_found');
        const unknown = { ...input, params: { job: noJob } };
        const nobodys = await stranger.refuse(operation, unknown, 'not_found');
        expect({ ...told, requestId: '' }).toEqual({ ...nobodys, requestId: '' });
      }
      expect(await lease(stranger, type)).toEqual([]);
      expect((await stranger.call(listJobs, { query: { type } })).body.items).toEqual([]);
      const headers = { 'idempotency-key': uniqueId('key') };
      const json = { type, data: 1 };
      const ours = await reader.call(enqueueJob, { json, headers });
      const theirs = await stranger.call(enqueueJob, { json, headers });
      expect(theirs.body.id).not.toBe(ours.body.id);
      await reader.refuse(getJob, { params: { job: theirs.body.id } }, 'not_found');
      expect(await readJob(reader, id)).toEqual(untouched);
      await complete(reader, held);
      await drain(type, 1);
      await complete(stranger, await leaseOne(stranger, type));
      expect((await reader.call(getJob, { params })).body.status).toBe('completed');
    });

    it('need the scope for what is done with them', async () => {
      const { service, reader } = cast;
      const type = uniqueId('scoped');
      await enqueue(reader, { type });
      const held = await leaseOne(reader, type);
      const params = { job: held.id };
      const wanted: readonly [scope: string, Operation, CallInput][] = [
        ['write:job', enqueueJob, { json: { type, data: 1 } }],
        ['work:job', leaseJobs, { json: { types: [type] } }],
        ['read:job', listJobs, {}],
        ...callsAbout(held).map(([operation, input]): [string, Operation, CallInput] => [
          scopeOf(operation),
          operation,
          input,
        ]),
      ];
      for (const [scope, operation, input] of wanted) {
        const others = ['read:job', 'write:job', 'work:job'].filter((other) => other !== scope);
        const client = await clientFor(service, 'demo-service', others);
        await client.refuse(operation, input, withoutScope(service));
      }
      const headers = { 'x-subject': 'somebody-else' };
      await reader.refuse(enqueueJob, { json: { type, data: 1 }, headers }, 'forbidden');
      const admin = await clientFor(service, 'demo-admin');
      const { body } = await admin.call(enqueueJob, { json: { type, data: 1 }, headers });
      expect(await readJob(reader, body.id)).toMatchObject({ subject: 'somebody-else' });
      await complete(reader, held);
      await drain(type, 1);
      expect((await reader.call(getJob, { params })).body.status).toBe('completed');
    });

    /** The ids of all jobs of a type, over all pages. */
    async function idsOf(type: string, query: Readonly<Record<string, string | number>> = {}) {
      const ids: string[] = [];
      for (let cursor: string | null = null, pages = 0; pages < 100; pages++) {
        const page: Readonly<Record<string, string>> = cursor === null ? {} : { cursor };
        const { body } = await cast.reader.call(listJobs, { query: { type, ...query, ...page } });
        ids.push(...body.items.map(({ id }) => id));
        cursor = body.next;
        if (cursor === null) return ids;
      }
      throw new Error('the list of jobs does not end');
    }

    /** What an attack would have added to. */
    async function newest() {
      const { body } = await cast.reader.call(listJobs, { query: { limit: 1 } });
      return body.items;
    }

    /** Completes the jobs of a type, so many as there are to be. */
    async function drain(type: string, count: number): Promise<void> {
      const held = await takeAll(cast.reader, type);
      expect(held).toHaveLength(count);
      await Promise.all(held.map(async (each) => complete(cast.reader, each)));
    }
  });
}

async function takeAll(worker: ServiceClient, type: string): Promise<LeasedJob[]> {
  const held: LeasedJob[] = [];
  for (;;) {
    const more = await lease(worker, type, { limit: 20 });
    if (more.length === 0) return held;
    held.push(...more);
  }
}

/** Every call about one job, as its worker would make it. */
function callsAbout(held: LeasedJob): readonly [Operation, CallInput][] {
  const params = { job: held.id };
  return [
    [getJob, { params }],
    [getJobData, { params }],
    [retryJob, { params }],
    [cancelJob, { params }],
    [heartbeatJob, reportOf(held)],
    [reportProgress, reportOf(held, { percent: 99 })],
    [completeJob, reportOf(held)],
    [failJob, reportOf(held, { message: 'no' })],
  ];
}

function scopeOf({ scope }: Operation): string {
  return String(scope);
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

function daysAhead(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}

function pothole(fields: object) {
  return {
    type: 'pothole.report',
    data: { lat: 38.5, lon: -98.2, description: 'A hole', ...fields },
  };
}
