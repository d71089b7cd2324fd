import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { workerOperations } from '../../src/contract/operations/worker-operations.ts';
import type { ErrorCode } from '../../src/core/errors/app-error.ts';
import { useCast } from '../support/cast.ts';
import {
  complete,
  enqueue,
  fail,
  type JobListener,
  journalOfJob,
  lease,
  leaseOne,
  listenToJobs,
  readJob,
  reportOf,
} from '../support/job-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { clientFor, type ServiceClient } from '../support/service-client.ts';

const { cancelJob, listJobs, retryJob, streamJob } = jobOperations;
const { leaseJobs, heartbeatJob, reportProgress, completeJob, failJob } = workerOperations;

/** Work on jobs from outside, by lease. */
export function describeWorkers(name: string, start: StartService): void {
  describe(`${name}: workers outside`, () => {
    const cast = useCast(start);
    let other: ServiceClient;
    beforeAll(async () => {
      other = await clientFor(cast.service, 'demo-admin');
    });

    it('lease, keep, tell of progress and complete a job, with its events; everybody sees it', async () => {
      const { reader, auditor, service } = cast;
      const type = uniqueId('letter');
      const id = await enqueue(reader, { type, data: { to: 'Ravi' }, reason: 'asked by phone' });
      const path = `/jobs/${id}/events`;
      // A gateway that answers in one piece answers when the job has ended.
      let ears: JobListener | undefined;
      if (service.streams === 'live') ears = await listenToJobs(service, path);
      const held = await leaseOne(reader, type, { leaseSeconds: 30 });
      expect(held).toMatchObject({ id, type, attempt: 1, data: { to: 'Ravi' }, maxAttempts: 5 });
      const leasedMs = Date.parse(held.leaseUntil);
      expect(Math.abs(leasedMs - Date.now() - 30_000)).toBeLessThan(10_000);
      expect(await lease(other, type)).toEqual([]);
      const page = await readJob(reader, id);
      expect(page).toMatchObject({ status: 'processing', attempts: 1, worker: held.actor });
      expect(JSON.stringify(page)).not.toContain(held.lease);

      const kept = await reader.call(heartbeatJob, reportOf(held, { leaseSeconds: 600 }));
      expect(Date.parse(kept.body.leaseUntil) - leasedMs).toBeGreaterThan(500_000);
      const shorter = await reader.call(heartbeatJob, reportOf(held, { leaseSeconds: 5 }));
      expect(shorter.body).toEqual(kept.body);
      await reader.call(reportProgress, reportOf(held, { percent: 40, note: 'page 2 of 5' }));
      const progress = { percent: 40, note: 'page 2 of 5' };
      expect((await readJob(reader, id)).progress).toMatchObject(progress);

      const told = {
        result: { pages: 5 },
        events: [{ type: 'letter.printed', subject: 'LTR-7', data: { pages: 5 } }],
      };
      const completed = await complete(reader, held, told);
      expect(completed.body).toEqual({ status: 'completed' });
      expect((await complete(reader, held, told)).body).toEqual(completed.body);
      await reader.refuse(failJob, reportOf(held, { message: 'no' }), 'lease_lost');
      await reader.refuse(heartbeatJob, reportOf(held), 'lease_lost');
      const done = await readJob(reader, id);
      expect(done).toMatchObject({ status: 'completed', result: { pages: 5 }, worker: null });

      const steps = ['job.queued', 'job.started', 'job.progressed', 'job.completed'];
      ears ??= await listenToJobs(service, path);
      const heard = await ears.until(({ length }) => length === 5);
      expect(heard.map(({ change }) => change.action)).toEqual([...steps, 'letter.printed']);
      expect(heard[2]?.change).toMatchObject({ job: id, status: 'processing', progress });
      expect(heard[3]?.change).toMatchObject({ status: 'completed', result: { pages: 5 } });
      expect(heard[4]?.change).toMatchObject({ job: id, subject: 'LTR-7', data: { pages: 5 } });
      const seen = { 'last-event-id': heard.at(-1)?.id ?? '' };
      const over = await reader.call(streamJob, { params: { job: id }, headers: seen });
      expect(over.status).toBe(204);
      const journal = await journalOfJob(auditor, service, id);
      expect(journal.map(({ action }) => action)).toEqual(steps);
      expect(journal[0]).toMatchObject({ reason: 'asked by phone' });
      expect(journal[3]?.after).toMatchObject(told);
    });

    it('get what is urgent first, of whatever type, and nothing before its time', async () => {
      const { reader } = cast;
      const [type, second] = [uniqueId('sorted'), uniqueId('sorted')];
      const types = [type, second];
      await enqueue(reader, { type, data: 'low', priority: 'low' });
      await enqueue(reader, { type, data: 'first' });
      await enqueue(reader, { type, data: 'delayed', priority: 'high', delaySeconds: 3 });
      const notBefore = new Date(Date.now() + 3000).toISOString();
      const dated = await enqueue(reader, { type: second, data: 'dated', notBefore });
      await enqueue(reader, { type: second, data: 'urgent', priority: 'high' });
      expect(await readJob(reader, dated)).toMatchObject({ nextAttemptAt: notBefore });
      const taken = await lease(reader, type, { types, limit: 20 });
      expect(taken.map(({ data }) => data)).toEqual(['urgent', 'first', 'low']);
      expect(await lease(reader, type, { types })).toEqual([]);
      const later = [];
      while (later.length < 2) {
        const wish = { types, limit: 20, waitSeconds: 10 };
        later.push(...(await lease(reader, type, wish)));
        expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(notBefore));
      }
      expect(new Set(later.map(({ data }) => data))).toEqual(new Set(['dated', 'delayed']));
      for (const held of [...taken, ...later]) await complete(reader, held);
    });

    it('that wait for a job get it as soon as it is there, each another one', async () => {
      const { reader } = cast;
      const type = uniqueId('awaited');
      const waiting = [reader, other, reader].map(async (each) => leaseOne(each, type));
      await delay(300);
      const ids = await Promise.all([1, 2, 3].map(async (data) => enqueue(reader, { type, data })));
      const held = await Promise.all(waiting);
      expect(held.map(({ id }) => id).sort()).toEqual(ids.sort());
      for (const each of held) await complete(reader, each);
      const none = await reader.call(leaseJobs, { json: { types: [type], waitSeconds: 1 } });
      expect(none.body.jobs).toEqual([]);
      expect(none.elapsedMs).toBeGreaterThanOrEqual(950);
    });

    it('that are slow lose the job to another, and change nothing any more', async () => {
      const { reader, auditor, service } = cast;
      const type = uniqueId('lapsed');
      const id = await enqueue(reader, { type, data: 1 });
      const slow = await leaseOne(reader, type, { leaseSeconds: 5 });
      expect(await lease(other, type)).toEqual([]);
      const next = await leaseOne(other, type, { waitSeconds: 10 });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(slow.leaseUntil));
      expect(next).toMatchObject({ id, attempt: 2 });
      expect(next.lease).not.toBe(slow.lease);
      const before = await readJob(reader, id);
      expect(before).toMatchObject({ status: 'processing', error: { code: 'lease_lost' } });
      for (const [operation, told] of [
        [heartbeatJob, {}],
        [reportProgress, { percent: 99 }],
        [completeJob, { result: 'slow', events: [{ type: 'a.b', subject: 'a', data: 1 }] }],
        [failJob, { message: 'slow', final: true }],
        [failJob, { reject: { validator: 'slow', reason: 'slow' } }],
      ] as const) {
        await reader.refuse(operation, reportOf(slow, told), 'lease_lost');
      }
      expect(await readJob(reader, id)).toEqual(before);
      await complete(other, next, { result: 'fast' });
      expect(await readJob(reader, id)).toMatchObject({ status: 'completed', result: 'fast' });
      const journal = await journalOfJob(auditor, service, id);
      expect(journal.map(({ action }) => action)).toEqual([
        'job.queued',
        'job.started',
        'job.started',
        'job.completed',
      ]);
    });

    it('that fail come back after a while, until the job is dead; then a person has it retried', async () => {
      const { reader } = cast;
      const type = uniqueId('failing');
      const id = await enqueue(reader, { type, maxAttempts: 2 });
      const first = await leaseOne(reader, type);
      const failed = await fail(reader, first, {
        message: 'the printer\nis on fire',
        code: 'fire',
      });
      const { nextAttemptAt } = failed.body;
      expect(failed.body.status).toBe('failed');
      const inMs = Date.parse(String(nextAttemptAt)) - Date.now();
      expect(inMs).toBeLessThanOrEqual(1000);
      expect(await fail(reader, first, { message: 'again' })).toMatchObject({ body: failed.body });
      const error = { code: 'fire', message: 'the printer is on fire', validator: null };
      expect(await readJob(reader, id)).toMatchObject({ status: 'failed', nextAttemptAt, error });
      const second = await leaseOne(reader, type);
      expect(second.attempt).toBe(2);
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(String(nextAttemptAt)));
      const last = await fail(reader, second, { message: 'still on fire' });
      expect(last.body).toEqual({ status: 'dead', nextAttemptAt: null });
      const query = { status: 'dead', type };
      const dead = await reader.call(listJobs, { query });
      expect(dead.body.items).toMatchObject([{ id, error: { message: 'still on fire' } }]);
      expect(await lease(reader, type)).toEqual([]);

      const json = { reason: 'new printer' };
      const retried = await reader.call(retryJob, { params: { job: id }, json });
      expect(retried.body).toMatchObject({ status: 'queued', attempts: 0, endedAt: null });
      expect((await reader.call(listJobs, { query })).body.items).toEqual([]);
      const third = await leaseOne(reader, type);
      expect(third.attempt).toBe(1);
      await complete(reader, third, { result: 'printed' });
      const done = await readJob(reader, id);
      expect(done).toMatchObject({ status: 'completed', result: 'printed', error: null });
      expect(done.history.map(({ status }) => status)).toEqual([
        'queued',
        'processing',
        'failed',
        'processing',
        'dead',
        'queued',
        'processing',
        'completed',
      ]);
      expect(done.history[5]).toMatchObject({ by: done.actor, detail: 'new printer' });
      await reader.refuse(retryJob, { params: { job: id } }, 'job_not_open');
    });

    it('may have a job wait longer, and a person not', async () => {
      const { reader } = cast;
      const type = uniqueId('patient');
      const id = await enqueue(reader, { type });
      const held = await leaseOne(reader, type);
      const told = { message: 'closed today', retryAfterSeconds: 3600 };
      const { body } = await fail(reader, held, told);
      const inMs = Date.parse(String(body.nextAttemptAt)) - Date.now();
      expect(inMs).toBeGreaterThan(3_500_000);
      expect(await lease(reader, type)).toEqual([]);
      await reader.call(retryJob, { params: { job: id } });
      const again = await leaseOne(reader, type);
      const dead = await fail(reader, again, { message: 'hopeless', final: true });
      expect(dead.body).toEqual({ status: 'dead', nextAttemptAt: null });
      const given = await reader.call(cancelJob, {
        params: { job: id },
        headers: { 'x-reason': 'nobody needs it' },
      });
      expect(given.body).toMatchObject({ status: 'cancelled' });
      const { body: list } = await reader.call(listJobs, { query: { status: 'dead', type } });
      expect(list.items).toEqual([]);
    });

    it('may find a job not acceptable: it is rejected, and for good', async () => {
      const { reader } = cast;
      const type = uniqueId('unacceptable');
      const id = await enqueue(reader, { type });
      const held = await leaseOne(reader, type);
      const reject = { validator: 'address', reason: 'there is no such street' };
      const answer = await fail(reader, held, { reject });
      expect(answer.body).toEqual({ status: 'rejected', nextAttemptAt: null });
      expect((await fail(reader, held, { reject })).body).toEqual(answer.body);
      const rejected = await readJob(reader, id);
      expect(rejected).toMatchObject({
        status: 'rejected',
        error: { code: 'rejected', validator: 'address', message: 'there is no such street' },
      });
      await reader.refuse(retryJob, { params: { job: id } }, 'job_not_open');
      await reader.refuse(cancelJob, { params: { job: id } }, 'job_not_open');
      expect(await readJob(reader, id)).toEqual(rejected);
    });

    it('find out that a job was cancelled, and nothing of what they did is kept', async () => {
      const { reader, auditor, service } = cast;
      const type = uniqueId('given-up');
      const id = await enqueue(reader, { type });
      const held = await leaseOne(reader, type);
      await reader.call(reportProgress, reportOf(held, { percent: 50 }));
      const cancel = { params: { job: id }, headers: { 'x-reason': 'Ravi called again' } };
      const { body } = await reader.call(cancelJob, cancel);
      expect(body).toMatchObject({ status: 'cancelled', worker: null, result: null });
      expect(body.history.at(-1)?.detail).toBe('Ravi called again');
      expect((await reader.call(cancelJob, cancel)).body).toEqual(body);
      for (const [operation, told] of [
        [heartbeatJob, {}],
        [reportProgress, { percent: 60 }],
        [completeJob, { result: 'done' }],
        [failJob, { message: 'failed' }],
      ] as const) {
        await reader.refuse(operation, reportOf(held, told), 'lease_lost');
      }
      expect(await readJob(reader, id)).toEqual(body);
      expect(await lease(reader, type)).toEqual([]);
      const journal = await journalOfJob(auditor, service, id);
      expect(journal.at(-1)).toMatchObject({
        action: 'job.cancelled',
        reason: 'Ravi called again',
      });
      const waiting = await enqueue(reader, { type });
      await reader.call(cancelJob, { params: { job: waiting } });
      expect(await lease(reader, type)).toEqual([]);
    });

    it('are refused what they may not report, and keep the job', async () => {
      const { reader } = cast;
      const type = uniqueId('strict');
      const id = await enqueue(reader, { type });
      const held = await leaseOne(reader, type);
      const before = await readJob(reader, id);
      const event = { type: 'a.b', subject: 'a', data: 1 };
      const reports: [
        typeof completeJob | typeof failJob | typeof reportProgress,
        Readonly<Record<string, unknown>>,
        ErrorCode,
      ][] = [
        [completeJob, { result: 'x'.repeat(64 * 1024) }, 'too_large'],
        [completeJob, { events: [{ ...event, data: 'x'.repeat(100 * 1024) }] }, 'too_large'],
        [completeJob, { result: 'x'.repeat(400 * 1024) }, 'too_large'],
        [completeJob, { events: Array.from({ length: 21 }, () => event) }, 'invalid_request'],
        [completeJob, { events: [{ ...event, type: 'job.completed' }] }, 'invalid_request'],
        [completeJob, { events: [{ ...event, type: 'policy.updated' }] }, 'invalid_request'],
        [completeJob, { events: [{ ...event, subject: 'a\nb' }] }, 'invalid_request'],
        [completeJob, { status: 'completed' }, 'invalid_request'],
        [failJob, {}, 'invalid_request'],
        [failJob, { message: 'a', reject: { validator: 'a', reason: 'b' } }, 'invalid_request'],
        [failJob, { message: 'a', code: 'Not A Code' }, 'invalid_request'],
        [reportProgress, { percent: 101 }, 'invalid_request'],
        [reportProgress, { percent: -1 }, 'invalid_request'],
      ];
      for (const [operation, told, code] of reports) {
        await reader.refuse(operation, reportOf(held, told), code);
      }
      const foreign = { ...held, lease: '01a1fa1c-4906-7065-9f47-fcf9f8ab7a80' };
      await reader.refuse(completeJob, reportOf(foreign), 'lease_lost');
      expect(await readJob(reader, id)).toEqual(before);
      const most = {
        result: 'x'.repeat(64 * 1024 - 2),
        events: Array.from({ length: 20 }, () => event),
      };
      await complete(reader, held, most);
    });

    it.each<[what: string, wish: object, pointer: string]>([
      ['no type', { types: [] }, '/types'],
      ['21 types', { types: Array.from({ length: 21 }, (_, n) => `t${n}`) }, '/types'],
      ['a type of the service itself', { types: ['pothole.report'] }, '/types'],
      ['no job', { types: ['a.b'], limit: 0 }, '/limit'],
      ['21 jobs', { types: ['a.b'], limit: 21 }, '/limit'],
      ['a short lease', { types: ['a.b'], leaseSeconds: 4 }, '/leaseSeconds'],
      ['a long lease', { types: ['a.b'], leaseSeconds: 3601 }, '/leaseSeconds'],
      ['a long wait', { types: ['a.b'], waitSeconds: 21 }, '/waitSeconds'],
    ])('are refused a lease of %s', async (_, json, pointer) => {
      const { errors = [] } = await cast.reader.refuse(leaseJobs, { json }, 'invalid_request');
      expect(errors.map((error) => error.pointer)).toEqual([pointer]);
    });
  });
}
