import { describe, expect, it } from 'vitest';
import { defineWorker, type HandlerContext } from '../../../src/core/jobs/define-worker.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { type Handler, anyData, deskOf, effectsOf, noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

describe('workOn', () => {
  it('does the work, and writes its effect, result and events with the end of the job', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('ended');
    expect(await desk.job(id)).toMatchObject({
      status: 'completed',
      attempts: 1,
      result: { counted: 1 },
      error: null,
      lease: null,
      endedAt: '2026-01-01T00:00:00.000Z',
      history: [{ status: 'queued' }, { status: 'processing' }, { status: 'completed' }],
    });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    expect(desk.deps.metrics.told).toEqual([['jobEnded', 'test.note', 'completed', 0]]);
    await desk.consistent();
    await desk.clock.advance(60_000);
    expect(await desk.turns()).toEqual([]);
  });

  it('leaves no sleeper and no lease behind', async () => {
    const desk = new JobDesk([noteWorker()]);
    await desk.submit();
    await desk.workOnce();
    expect(desk.clock.sleeping).toBe(0);
  });

  it('hands the job, its data and its attempt to the handler', async () => {
    let seen: Partial<HandlerContext<Json>> = {};
    const desk = deskOf(async (context) => ((seen = context), null));
    const { id, number } = await desk.submit({ data: [1, 2], subject: 'eve' });
    await desk.workOnce();
    expect(seen).toMatchObject({
      tenant: 'demo',
      data: [1, 2],
      job: { id, number, type: 'test.note', actor: 'ravi', subject: 'eve', attempts: 1 },
    });
  });

  it('has the data as the schema answers it', async () => {
    let seen: Json = null;
    const schema = { '~standard': { validate: () => ({ value: 'parsed' as Json }) } };
    const desk = deskOf(async ({ data }) => ((seen = data), null), { schema });
    await desk.submit();
    await desk.workOnce();
    expect(seen).toBe('parsed');
  });

  it('takes no answer for null', async () => {
    const desk = deskOf((async () => undefined) as unknown as Handler);
    const { id } = await desk.submit();
    await desk.workOnce();
    expect(await desk.job(id)).toMatchObject({ status: 'completed', result: null });
  });

  it('does nothing for a job that is gone, and takes it out of the queue', async () => {
    const desk = new JobDesk([noteWorker()]);
    const notBeforeMs = startMs;
    await desk.deps.queue.send([
      { tenant: 'demo', type: 'test.note', id: 'none-0', priority: 'normal', notBeforeMs },
    ]);
    expect(await desk.workOnce()).toBe('ended');
    await desk.clock.advance(60_000);
    expect(await desk.turns()).toEqual([]);
  });

  it('does the work once when the queue hands it out twice at once', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    const [turn] = await desk.turns();
    const ends = await desk.whileTimePasses(() =>
      Promise.all([turn!, turn!, turn!].map((each) => desk.workOn(each))),
    );
    expect(ends).toEqual(expect.arrayContaining(['ended', 'waits', 'waits']));
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    expect((await desk.job(id)).attempts).toBe(1);
    await desk.consistent();
  });

  it('finds the work done when its turn comes again', async () => {
    const desk = new JobDesk([noteWorker()]);
    const { id } = await desk.submit();
    const [turn] = await desk.turns();
    await desk.whileTimePasses(() => desk.workOn(turn!));
    expect(await desk.whileTimePasses(() => desk.workOn(turn!))).toBe('ended');
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
  });
});

describe('defineWorker', () => {
  it.each([
    { type: 'No.Type' },
    { type: '' },
    { timeoutMs: 0 },
    { timeoutMs: 900_001 },
    { timeoutMs: Number.NaN },
    { concurrency: 0 },
    { concurrency: 1.5 },
    { retry: { maxAttempts: 26 } },
    { retry: { maxAttempts: 0 } },
    { retry: { baseMs: -1 } },
    { retry: { maxMs: Infinity } },
  ])('refuses what no worker can be: %j', (part) => {
    const plain = { type: 'a', schema: anyData, handler: async () => null };
    expect(() => defineWorker({ ...plain, ...part })).toThrow(RangeError);
    expect(() => defineWorker(plain)).not.toThrow();
  });
});
