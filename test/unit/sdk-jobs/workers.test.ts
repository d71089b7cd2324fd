import { describe, expect, it } from 'vitest';
import type { HandlerContext } from '../../../sdk/src/jobs/define-worker.ts';
import { runWorker } from '../../../sdk/src/jobs/run-worker.ts';
import { passTime, whileTimePasses } from '../../support/while-time-passes.ts';
import { type Letter, letterType as type, pageOf, seconds, useWorkers } from './worker-bench.ts';

const bench = useWorkers();

describe('workers', () => {
  it('wait for a service that is down, less and less often, and go on when it is back', async () => {
    bench.desk.fault = () => 'down';
    bench.work(() => 'printed');
    await passTime(300_000, 1000);
    const waits = bench.events.flatMap((event) =>
      event.kind === 'unreachable' ? [event.retryInMs] : [],
    );
    expect(waits.length).toBeGreaterThan(8);
    expect(waits.length).toBeLessThan(30);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    bench.desk.fault = () => undefined;
    const job = await bench.handIn();
    expect(await whileTimePasses(job.done())).toBe('printed');
  });

  it('share the jobs: each is done once, and by no more at a time than was said', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => bench.handIn({ to: n })),
    );
    const done: unknown[] = [];
    const most = [0, 0];
    const handler = (place: number) => {
      let busy = 0;
      return async ({ data }: HandlerContext<Letter>) => {
        busy += 1;
        most[place] = Math.max(most[place] ?? 0, busy);
        await seconds(1);
        busy -= 1;
        done.push(data.to);
      };
    };
    bench.work(handler(0), {}, { concurrency: 4 });
    bench.work(handler(1));
    await whileTimePasses(Promise.all(jobs.map(async (job) => job.done())));
    expect(done.sort((a, b) => Number(a) - Number(b))).toEqual(jobs.map((_, n) => n));
    expect(most).toEqual([4, 1]);
  });

  it('finish what they have when they are closed, and take nothing more', async () => {
    const first = await bench.handIn();
    const worker = bench.work(async () => seconds(20));
    await passTime(1000);
    const closing = worker.close();
    const second = await bench.handIn();
    await whileTimePasses(closing);
    await worker.closed;
    expect((await pageOf(first)).status).toBe('completed');
    expect((await pageOf(second)).status).toBe('queued');
    const leases = bench.desk.calls.filter((call) => call === 'POST /jobs/lease').length;
    await passTime(60_000);
    expect(bench.desk.calls.filter((call) => call === 'POST /jobs/lease')).toHaveLength(leases);
  });

  it('give back what they cannot finish in time', async () => {
    const job = await bench.handIn();
    const closing = new AbortController();
    const signals: AbortSignal[] = [];
    const worker = bench.work(
      async ({ signal }) => {
        signals.push(signal);
        await seconds(3600);
      },
      {},
      { signal: closing.signal },
    );
    await passTime(1000);
    closing.abort();
    await passTime(29_000);
    expect((await pageOf(job)).status).toBe('processing');
    await passTime(2000);
    await worker.closed;
    expect(await pageOf(job)).toMatchObject({
      status: 'failed',
      error: { code: 'worker_stopped' },
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('are closed in time, also when nobody answers', async () => {
    await bench.handIn();
    const worker = bench.work(async () => seconds(3600));
    await passTime(1000);
    bench.desk.fault = () => 'down';
    const startedMs = Date.now();
    await whileTimePasses(worker.close({ graceMs: 2000 }));
    expect(Date.now() - startedMs).toBeLessThanOrEqual(8000);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'lost' });
  });

  it.each([
    ['forbidden', { connection: () => bench.desk.connection('reader') }],
    ['invalid_request', { leaseSeconds: 4 }],
  ])('end when the service refuses them as such: %s', async (code, options) => {
    const given = 'connection' in options ? { connection: options.connection() } : options;
    const worker = bench.work(() => null, {}, given);
    await expect(whileTimePasses(worker.closed)).rejects.toMatchObject({ code });
    await worker.close();
  });

  it.each([
    [[]],
    [
      [
        { type, handler: () => null },
        { type, handler: () => null },
      ],
    ],
  ])('are not begun without a type, or with two for one', (given) => {
    expect(() => runWorker({ workers: given, connection: bench.desk.connection() })).toThrow(
      'one for each type',
    );
  });
});
