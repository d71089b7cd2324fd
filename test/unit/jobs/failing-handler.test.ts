import { describe, expect, it } from 'vitest';
import type { JobTransaction } from '../../../src/core/jobs/job-transaction.ts';
import { getRecord, type KeyOf } from '../../../src/core/records.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { type Handler, countEffect, deskOf, effectsOf, noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

const otherKey: KeyOf<unknown> = { partition: 'demo#shared', sort: 'one' };

describe('a handler that fails', () => {
  it('is tried again after a back-off that doubles, and then the job is dead', async () => {
    const begunMs: number[] = [];
    const desk = deskOf(async () => {
      begunMs.push(desk.clock.nowMs() - startMs);
      throw new Error(`failure ${begunMs.length}`);
    });
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('waits');
    const first = await desk.job(id);
    expect(first).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'handler_failed', message: 'failure 1', validator: null },
    });
    await desk.consistent();
    await desk.workFor(10_000, 10);
    expect(await desk.job(id)).toMatchObject({
      status: 'dead',
      attempts: 3,
      lease: null,
      error: { message: 'failure 3' },
    });
    const waits = begunMs.map((at, n) => at - (begunMs[n - 1] ?? 0)).slice(1);
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(500);
    expect(waits[0]).toBeLessThanOrEqual(1020);
    expect(waits[1]).toBeGreaterThanOrEqual(1000);
    expect(waits[1]).toBeLessThanOrEqual(2020);
    expect(desk.deps.metrics.told.map(([name, ...args]) => [name, args[1]])).toEqual([
      ['jobFailed', undefined],
      ['jobFailed', undefined],
      ['jobEnded', 'dead'],
    ]);
    await desk.consistent();
    await desk.workFor(120_000, 1000);
    expect(begunMs).toHaveLength(3);
  });

  it('is sent anew for a long wait, and not hidden: queues bear few hidden ones', async () => {
    const desk = deskOf(
      async () => {
        throw new Error('not now');
      },
      { retry: { baseMs: 600_000, maxMs: 600_000 } },
    );
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('ended');
    const { visibleAtMs } = await desk.job(id);
    await desk.clock.advance(visibleAtMs - desk.clock.nowMs() - 1000);
    expect(await desk.turns()).toEqual([]);
    await desk.clock.advance(1000);
    expect(await desk.turns()).toMatchObject([{ id }]);
    await desk.consistent();
  });

  it('has its effect once when a later attempt succeeds', async () => {
    const desk = deskOf(async (context) => {
      const answer = await countEffect(context);
      if (context.job.attempts < 3) throw new Error('not yet');
      return answer;
    });
    const { id } = await desk.submit();
    await desk.workFor(10_000);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 3, error: null });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    await desk.consistent();
  });

  it.each<[string, unknown, string]>([
    ['no message', new Error(), 'no reason given'],
    ['a text', 'just so', 'just so'],
    ['nothing', undefined, 'What was thrown is no Error.'],
    ['what cannot be a text', Object.create(null), 'What was thrown is no Error.'],
    ['lines and controls', new Error('a\n\tb\u0000c'), 'a b c'],
  ])('may throw %s', async (_, thrown, message) => {
    const desk = deskOf(async () => {
      throw thrown;
    });
    const { id } = await desk.submit();
    await desk.workOnce();
    expect((await desk.job(id)).error).toEqual({
      code: 'handler_failed',
      message,
      validator: null,
    });
  });

  it('may throw before it answers a promise', async () => {
    const desk = deskOf(() => {
      throw new Error('at once');
    });
    const { id } = await desk.submit();
    await desk.workOnce();
    expect((await desk.job(id)).error?.message).toBe('at once');
  });

  it('has its message cut', async () => {
    const desk = deskOf(async () => {
      throw new Error(`${'x'.repeat(499)}😀${'y'.repeat(2_000_000)}`);
    });
    const { id } = await desk.submit();
    await desk.workOnce();
    const { error, history } = await desk.job(id);
    expect(error?.message).toBe(`${'x'.repeat(499)}\uFFFD`);
    expect(history.at(-1)?.detail).toBe('x'.repeat(200));
  });

  it.each<[string, (tx: JobTransaction) => Promise<Json>, RegExp]>([
    ['a result that is too large', async () => 'x'.repeat(70_000), /result of a job has at most/],
    [
      'events that are too large',
      async (tx) => {
        for (let i = 0; i < 2; i++) {
          tx.emit({ type: 'a.b', subject: 's', data: 'x'.repeat(60_000) });
        }
        return null;
      },
      /events of a job have at most/,
    ],
    ['a result that is no JSON', async () => 1n as unknown as Json, /BigInt/],
    [
      'a record that is too large',
      async (tx) => {
        await tx.put(otherKey, 'x'.repeat(400_000));
        return null;
      },
      /at most/,
    ],
    [
      'a record that is no JSON',
      async (tx) => {
        await tx.put(otherKey, undefined);
        return null;
      },
      /JSON/,
    ],
    [
      'too many records',
      async (tx) => {
        for (let i = 0; i < 81; i++) await tx.put({ partition: 'demo#many', sort: `${i}` }, i);
        return null;
      },
      /at most 80 records/,
    ],
    [
      'too many events',
      async (tx) => {
        for (let i = 0; i < 21; i++) tx.emit({ type: 'a.b', subject: 's', data: i });
        return null;
      },
      /at most 20 events/,
    ],
  ])('fails by %s, which says so, and does not keep others', async (_, handle, message) => {
    const worker = (type: string, handler: Handler) => noteWorker({ type, handler });
    const desk = new JobDesk([
      worker('test.note', async ({ tx }) => handle(tx)),
      worker('test.fine', countEffect),
    ]);
    const { id } = await desk.submit();
    const fine = await Promise.all([1, 2, 3].map(() => desk.submit({ type: 'test.fine' })));
    await desk.workFor(1000);
    const job = await desk.job(id);
    expect(job.error?.code).toBe('handler_failed');
    expect(job.error?.message).toMatch(message);
    for (const other of fine) expect((await desk.job(other.id)).status).toBe('completed');
    expect(await getRecord(desk.deps, otherKey)).toBeUndefined();
    await desk.consistent();
  });
});
