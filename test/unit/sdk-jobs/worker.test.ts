import { describe, expect, it } from 'vitest';
import { AttemptError, FinalError } from '../../../sdk/src/jobs/define-worker.ts';
import { LeaseLostError } from '../../../sdk/src/jobs/held-lease.ts';
import { passTime, whileTimePasses } from '../../support/while-time-passes.ts';
import { letterType, pageOf, seconds, toldOf, useWorkers } from './worker-bench.ts';

const bench = useWorkers();

describe('a worker', () => {
  it('does a job, tells how far it is, and what came of it', async () => {
    const job = await bench.handIn();
    const seen: unknown[] = [];
    bench.work(async ({ job: given, data, progress, emit }) => {
      seen.push(given, data);
      await progress(40, 'page 2\nof 5');
      await progress(41, 'dropped: too soon after the last');
      emit('letter.printed', 'LTR-7', { pages: 5 });
      return { pages: 5 };
    });
    expect(await whileTimePasses(job.done())).toEqual({ pages: 5 });
    expect(seen).toEqual([
      {
        id: job.id,
        number: expect.any(Number),
        type: letterType,
        priority: 'normal',
        actor: 'service',
        subject: 'service',
        createdAt: expect.any(String),
        maxAttempts: 5,
        attempt: 1,
        traceparent: expect.any(String),
      },
      { to: 'Ravi' },
    ]);
    const told = await toldOf(job);
    expect(told.map(({ action }) => action)).toEqual([
      'job.queued',
      'job.started',
      'job.progressed',
      'job.completed',
      'letter.printed',
    ]);
    expect(told[2]).toMatchObject({ progress: { percent: 40, note: 'page 2 of 5' } });
    expect(told[4]).toMatchObject({ subject: 'LTR-7', data: { pages: 5 } });
    expect(bench.kinds()).toEqual(['leased', 'completed']);
    expect(JSON.stringify(bench.events)).not.toContain('lease"');
  });

  it('gets data that is too large to come along', async () => {
    const job = await bench.handIn({ to: 'x'.repeat(300_000) });
    bench.work(({ data }) => data.to.length);
    expect(await whileTimePasses(job.done())).toBe(300_000);
  });

  it('lets the first validator that does not agree reject the job', async () => {
    const job = await bench.handIn();
    const asked: string[] = [];
    const check = (name: string, reason?: string) => ({
      name,
      check: async () => {
        asked.push(name);
        return reason;
      },
    });
    bench.work(() => asked.push('handler'), {
      validators: [check('schema'), check('address', 'no such street'), check('postage')],
    });
    await expect(whileTimePasses(job.done())).rejects.toMatchObject({
      validator: 'address',
      reason: 'no such street',
    });
    expect(asked).toEqual(['schema', 'address']);
    expect((await pageOf(job)).attempts).toBe(1);
    expect(bench.kinds()).toEqual(['leased', 'rejected']);
  });

  it('never sees what the governance rules deny', async () => {
    bench.desk.vet = async ({ payload }) => ({
      verdict: 'denied',
      reason: JSON.stringify(payload),
    });
    const job = await bench.handIn();
    bench.work(() => null);
    await expect(whileTimePasses(job.done())).rejects.toMatchObject({
      validator: 'governance',
      reason: '{"to":"Ravi"}',
    });
    expect(bench.kinds()).toEqual([]);
  });

  it('fails an attempt by what its handler throws, and another one follows', async () => {
    const job = await bench.handIn();
    const thrown = [
      new Error('no paper'),
      new AttemptError('no ink', { code: 'ink', retryAfterSeconds: 600 }),
      new AttemptError('', { code: 'Not A Code', retryAfterSeconds: Number.NaN }),
      'jammed',
    ];
    bench.work(() => {
      const next = thrown.shift();
      if (next !== undefined) throw next;
      return 'printed';
    });
    const startedMs = Date.now();
    expect(await whileTimePasses(job.done())).toBe('printed');
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(600_000);
    const { history } = await pageOf(job);
    const failed = history.filter(({ status }) => status === 'failed');
    expect(failed.map(({ detail }) => detail)).toEqual([
      'no paper',
      'no ink',
      'nothing was said',
      'jammed',
    ]);
  });

  it('gives a job up when no other attempt is of use', async () => {
    const [hopeless, large, strange, loud] = [
      await bench.handIn({ to: 'hopeless' }),
      await bench.handIn({ to: 'large' }),
      await bench.handIn({ to: 'strange' }),
      await bench.handIn({ to: 'loud' }),
    ];
    bench.work(({ data: { to }, emit }) => {
      if (to === 'hopeless') throw new FinalError('there is no such printer', { code: 'gone' });
      if (to === 'loud') return emit('job.completed', 'itself');
      return to === 'large' ? 'x'.repeat(70_000) : { pages: 5n };
    });
    for (const [job, code, reason] of [
      [hopeless, 'gone', 'there is no such printer'],
      [large, 'result_refused', 'has at most 65536 bytes'],
      [strange, 'result_refused', 'BigInt'],
      [loud, 'result_refused', 'events of the service itself'],
    ] as const) {
      const error = await whileTimePasses(job.done()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, reason: expect.stringContaining(reason) });
      expect((await pageOf(job)).attempts).toBe(1);
    }
  });

  it('keeps its lease for as long as its handler takes', async () => {
    const job = await bench.handIn();
    bench.work(async () => seconds(60), {}, { leaseSeconds: 5 });
    await whileTimePasses(job.done());
    expect((await pageOf(job)).attempts).toBe(1);
    expect(bench.callsOf(job, 'heartbeat')).toBeGreaterThan(30);
    // A try that fails is followed by the next in time.
    let calls = 0;
    bench.desk.fault = (call) =>
      call.endsWith('/heartbeat') && calls++ % 2 === 0 ? 'down' : undefined;
    const next = await bench.handIn();
    await whileTimePasses(next.done());
    expect((await pageOf(next)).attempts).toBe(1);
  });

  it('is not kept from its work by what it tells of it', async () => {
    bench.desk.fault = (call) => (call.endsWith('/progress') ? 'down' : undefined);
    const job = await bench.handIn();
    bench.work(
      async ({ progress }) => {
        await progress(Number.NaN);
        await progress(150, '');
        return 'printed';
      },
      {},
      {
        onEvent: () => {
          throw new Error('who watches is broken');
        },
      },
    );
    expect(await whileTimePasses(job.done())).toBe('printed');
    expect(bench.callsOf(job, 'progress')).toBe(1);
  });

  it('completes a job once, though the answers are lost', async () => {
    const job = await bench.handIn();
    let left = 3;
    bench.desk.fault = (call) => (call.endsWith('/complete') && left-- > 0 ? 'lost' : undefined);
    bench.work(({ emit }) => emit('letter.printed', 'LTR-7'));
    const told = await toldOf(job);
    expect(told.filter(({ action }) => action === 'letter.printed')).toHaveLength(1);
    await passTime(10_000);
    expect([bench.callsOf(job, 'complete'), bench.callsOf(job, 'fail')]).toEqual([4, 0]);
    expect(bench.kinds()).toEqual(['leased', 'completed']);
  });

  it('stops and says nothing when the job is no longer its own', async () => {
    const job = await bench.handIn();
    let reason: unknown;
    bench.work(
      async ({ signal }) => {
        signal.addEventListener('abort', () => (reason = signal.reason));
        await seconds(3600);
      },
      {},
      { leaseSeconds: 30 },
    );
    await passTime(1000);
    await whileTimePasses(job.cancel());
    await passTime(11_000);
    expect(reason).toBeInstanceOf(LeaseLostError);
    expect(bench.kinds()).toEqual(['leased', 'lost']);
    expect([bench.callsOf(job, 'complete'), bench.callsOf(job, 'fail')]).toEqual([0, 0]);
    // And is free for the next.
    const next = await bench.handIn();
    await passTime(2000);
    expect((await pageOf(next)).status).toBe('processing');
  });

  it('takes a lease that it cannot keep for lost, and the next worker does the job', async () => {
    const job = await bench.handIn();
    let cutOff = false;
    bench.desk.fault = () => (cutOff ? 'down' : undefined);
    const attempts: number[] = [];
    bench.work(
      async ({ job: { attempt } }) => {
        attempts.push(attempt);
        await seconds(attempt === 1 ? 3600 : 1);
        return attempt;
      },
      {},
      { leaseSeconds: 30 },
    );
    await passTime(1000);
    cutOff = true;
    await passTime(60_000);
    expect(bench.kinds().slice(0, 2)).toEqual(['leased', 'lost']);
    cutOff = false;
    expect(await whileTimePasses(job.done())).toBe(2);
    expect(attempts).toEqual([1, 2]);
    expect(bench.callsOf(job, 'complete')).toBe(1);
  });

  it('ends an attempt that takes too long', async () => {
    const job = await bench.handIn(undefined, { maxAttempts: 1 });
    const signals: AbortSignal[] = [];
    bench.work(
      async ({ signal }) => {
        signals.push(signal);
        await seconds(3600);
      },
      { timeoutMs: 5000 },
    );
    await expect(whileTimePasses(job.done())).rejects.toMatchObject({
      code: 'timeout',
      reason: 'The attempt took longer than 5000 ms.',
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
