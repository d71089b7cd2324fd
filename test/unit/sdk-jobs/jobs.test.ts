import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError } from '../../../sdk/src/api/errors.ts';
import { enqueue } from '../../../sdk/src/jobs/enqueue.ts';
import { getJob, type Job } from '../../../sdk/src/jobs/job.ts';
import {
  JobCancelledError,
  JobDeadError,
  JobRejectedError,
} from '../../../sdk/src/jobs/job-errors.ts';
import type { JobMessage, LeasedJob } from '../../../sdk/src/wire/job.ts';
import { createApi } from '../../../sdk/src/api/api.ts';
import { SdkDesk } from '../../support/sdk-desk.ts';
import { passTime, stopTime, whileTimePasses } from '../../support/while-time-passes.ts';

const type = 'letter.print';
let desk: SdkDesk;
beforeEach(() => {
  stopTime();
  desk = new SdkDesk();
});
afterEach(() => void vi.useRealTimers());

async function handIn(more: object = {}): Promise<Job> {
  return whileTimePasses(
    enqueue({ type, data: { to: 'Ravi' }, connection: desk.connection(), ...more }),
  );
}

/** A worker with nothing but HTTP. */
async function tell(verb: string, told: object): Promise<void> {
  const api = createApi(desk.connection());
  const json = { types: [type] };
  const { jobs } = await api.json<{ readonly jobs: readonly LeasedJob[] }>({
    method: 'POST',
    path: '/jobs/lease',
    json,
  });
  for (const { id, lease } of jobs) {
    await api.json({ method: 'POST', path: `/jobs/${id}/${verb}`, json: { lease, ...told } });
  }
}

async function heard(messages: AsyncIterable<JobMessage>): Promise<string[]> {
  const actions: string[] = [];
  for await (const { action } of messages) actions.push(action);
  return actions;
}

const callsOf = (call: string) => desk.calls.filter((each) => each === call).length;

describe('a job that is handed in', () => {
  it('is followed step by step until it is done, in one connection', async () => {
    const job = await handIn();
    const steps = heard(job.progress());
    const done = job.done();
    const events = [{ type: 'letter.printed', subject: 'LTR-7', data: null }];
    await tell('complete', { result: { pages: 5 }, events });
    expect(await whileTimePasses(done)).toEqual({ pages: 5 });
    expect(await whileTimePasses(steps)).toEqual([
      'job.queued',
      'job.started',
      'job.completed',
      'letter.printed',
    ]);
    expect(callsOf(`GET /jobs/${job.id}/events`)).toBe(2);
    // Whoever comes later is told the same.
    expect(await whileTimePasses(getJob(job.id, { connection: desk.connection() }).done())).toEqual(
      { pages: 5 },
    );
  });

  it('is one job, though its answer was lost', async () => {
    let left = 2;
    desk.fault = (call) => (call === 'POST /jobs' && left-- > 0 ? 'lost' : undefined);
    const { id } = await handIn();
    expect(callsOf('POST /jobs')).toBe(3);
    const api = createApi(desk.connection());
    const { items } = await api.json<{ readonly items: readonly { readonly id: string }[] }>({
      path: '/jobs',
    });
    expect(items.map((item) => item.id)).toEqual([id]);
    const [one, same] = [
      await handIn({ idempotencyKey: 'k' }),
      await handIn({ idempotencyKey: 'k' }),
    ];
    expect(same.id).toBe(one.id);
    expect(one.id).not.toBe(id);
  });

  it.each([
    [
      'rejected',
      { reject: { validator: 'address', reason: 'no such street' } },
      { name: 'JobRejectedError', validator: 'address', reason: 'no such street' },
      JobRejectedError,
    ],
    [
      'dead',
      { message: 'the printer is on fire', code: 'fire', final: true },
      { name: 'JobDeadError', code: 'fire', reason: 'the printer is on fire' },
      JobDeadError,
    ],
  ])('that is %s says so by an error of its own', async (status, told, error, kind) => {
    const job = await handIn();
    const done = job.done();
    done.catch(() => undefined);
    await tell('fail', told);
    await expect(whileTimePasses(done)).rejects.toBeInstanceOf(kind);
    await expect(done).rejects.toMatchObject({ ...error, job: job.id, retryable: false });
    expect((await whileTimePasses(job.status())).status).toBe(status);
  });

  it('may be given up', async () => {
    const job = await handIn();
    const done = job.done();
    done.catch(() => undefined);
    expect(await whileTimePasses(job.cancel({ reason: 'not needed' }))).toMatchObject({
      status: 'cancelled',
      history: [{}, { detail: 'not needed' }],
    });
    await expect(whileTimePasses(done)).rejects.toBeInstanceOf(JobCancelledError);
    await expect(whileTimePasses(job.retry())).rejects.toMatchObject({ code: 'job_not_open' });
  });

  it('that was dead and is tried again is done in the end', async () => {
    const job = await handIn();
    await tell('fail', { message: 'no paper', final: true });
    await passTime(1);
    await whileTimePasses(job.retry({ reason: 'there is paper' }));
    const done = job.done();
    const steps = heard(job.progress());
    await tell('complete', { result: 'printed' });
    expect(await whileTimePasses(done)).toBe('printed');
    expect(await whileTimePasses(steps)).toEqual([
      'job.queued',
      'job.started',
      'job.dead',
      'job.retried',
      'job.started',
      'job.completed',
    ]);
  });

  it('is followed across broken lines, and nothing is missed or told twice', async () => {
    const job = await handIn();
    const steps = heard(job.progress());
    await passTime(100);
    desk.cutLine();
    desk.fault = () => 'down';
    await passTime(60_000);
    desk.fault = () => undefined;
    await tell('fail', { message: 'no paper' });
    await passTime(60_000);
    desk.cutLine();
    await tell('complete', {});
    expect(await whileTimePasses(steps)).toEqual([
      'job.queued',
      'job.started',
      'job.failed',
      'job.started',
      'job.completed',
    ]);
  });

  it('is waited for while the service is down, also at the last moment', async () => {
    const job = await handIn();
    const done = job.done();
    await passTime(100);
    let left = 20;
    desk.fault = (call) => (call === `GET /jobs/${job.id}` && left-- > 0 ? 'down' : undefined);
    await tell('complete', { result: 'printed' });
    expect(await whileTimePasses(done)).toBe('printed');
    expect(left).toBe(-1);
  });

  it('is not waited for any longer when the signal says so', async () => {
    const job = await handIn();
    const leaving = new AbortController();
    const { signal } = leaving;
    const waits = [job.done({ signal }), heard(job.progress({ signal }))];
    for (const wait of waits) wait.catch(() => undefined);
    await passTime(1000);
    const reason = new Error('enough');
    leaving.abort(reason);
    for (const wait of waits) await expect(whileTimePasses(wait)).rejects.toBe(reason);
    for (const call of [job.status, job.done, job.cancel, job.retry]) {
      await expect(call({ signal })).rejects.toBe(reason);
    }
    await expect(handIn({ signal })).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is refused for what it is, and nothing is tried again', async () => {
    const refused = handIn({ type: 'Not A Type' });
    await expect(refused).rejects.toBeInstanceOf(ProblemError);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/type' }],
    });
    await expect(handIn({ connection: desk.connection('reader') })).rejects.toMatchObject({
      code: 'forbidden',
    });
    const nowhere = getJob('01a21e96-21b8-77a4-bb53-5b59bb2241a1', {
      connection: desk.connection(),
    });
    for (const call of [nowhere.status, nowhere.done, nowhere.cancel]) {
      await expect(whileTimePasses(call())).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(callsOf('POST /jobs')).toBe(2);
  });
});
