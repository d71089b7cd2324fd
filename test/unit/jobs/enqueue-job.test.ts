import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict, TooLarge, Unavailable } from '../../../src/core/errors/app-error.ts';
import { enqueueJob, type NewJob } from '../../../src/core/jobs/enqueue-job.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { jobLimits } from '../../../src/core/jobs/job-limits.ts';
import { readJobData } from '../../../src/core/jobs/read-job.ts';
import { headKey } from '../../../src/core/journal/journal-keys.ts';
import type { Json } from '../../../src/core/values/json.ts';
import type { Ids } from '../../../src/ports/ids.ts';
import { uuidIds } from '../../../src/adapters/runtime/uuid-ids.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyJobQueue } from '../../support/faulty-job-queue.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { JobDesk, plainJob } from '../../support/job-desk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { noteWorker } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

let desk: JobDesk;
beforeEach(() => {
  desk = new JobDesk([noteWorker()]);
});

describe('submitJob', () => {
  it('stores the job, tells its journal, and puts it into the queue', async () => {
    const { id, status, number } = await desk.submit({ priority: 'high', reason: 'to see' });
    expect(status).toBe('queued');
    const job = await desk.job(id);
    const at = '2026-01-01T00:00:00.000Z';
    expect(job).toEqual({
      id,
      number,
      type: 'test.note',
      status: 'queued',
      priority: 'high',
      actor: 'ravi',
      subject: 'ravi',
      requestId: 'request-1',
      data: { text: 'note this' },
      dataRef: null,
      createdAt: at,
      visibleAtMs: startMs,
      attempts: 0,
      maxAttempts: 3,
      lease: null,
      progress: null,
      result: null,
      error: null,
      history: [{ at, status: 'queued', attempt: 0, by: 'ravi', detail: null }],
      endedAt: null,
      firstIndex: 0,
    });
    await desk.consistent();
    expect(await desk.turns()).toMatchObject([{ tenant: 'demo', type: 'test.note', id }]);
  });

  it('gives every job of a tenant a number of its own', async () => {
    const numbers = await Promise.all(
      Array.from({ length: 40 }, async () => (await desk.submit()).number),
    );
    expect(new Set(numbers).size).toBe(40);
    expect(Math.min(...numbers)).toBeGreaterThan(0);
    const jobs = await desk.consistent();
    expect(new Set(jobs.map(({ firstIndex }) => firstIndex)).size).toBeLessThan(40);
  });

  it('takes the attempts of the worker, unless others are asked for', async () => {
    const attempts = async (fields: Parameters<JobDesk['submit']>[0]): Promise<number> =>
      (await desk.job((await desk.submit(fields)).id)).maxAttempts;
    expect(await attempts({})).toBe(3);
    expect(await attempts({ maxAttempts: 7 })).toBe(7);
    expect(await attempts({ type: 'outside' })).toBe(5);
  });

  it('leaves a job for workers outside out of the queue', async () => {
    const { id } = await desk.submit({ type: 'outside' });
    expect(await desk.turns('outside')).toEqual([]);
    expect((await desk.job(id)).status).toBe('queued');
    await desk.consistent();
  });

  it('is not started before its time', async () => {
    const notBeforeMs = startMs + 3000;
    const { id } = await desk.submit({ notBeforeMs });
    expect((await desk.job(id)).visibleAtMs).toBe(notBeforeMs);
    expect(await desk.workOnce()).toBe('none');
    desk.clock.set(notBeforeMs - 1);
    expect(await desk.workOnce()).toBe('none');
    desk.clock.set(notBeforeMs);
    expect(await desk.workOnce()).toBe('ended');
    await desk.consistent();
  });

  it('takes a time that is past for now', async () => {
    const { id } = await desk.submit({ notBeforeMs: startMs - 1000 });
    expect((await desk.job(id)).visibleAtMs).toBe(startMs);
    expect(await desk.workOnce()).toBe('ended');
  });

  it('refuses to put a job off for more than 90 days', async () => {
    const most = startMs + jobLimits.maxDelayMs;
    await expect(desk.submit({ notBeforeMs: most + 1 })).rejects.toMatchObject({
      code: 'invalid_request',
      details: [{ pointer: '/notBefore' }],
    });
    await desk.submit({ notBeforeMs: most });
  });

  it('can be started at once although the clock has stepped back', async () => {
    const one = new JobDesk([noteWorker()], { jobJournals: 1 });
    await one.submit();
    one.clock.set(startMs - 60_000);
    const { id } = await one.submit();
    const { createdAt, visibleAtMs } = await one.job(id);
    expect([Date.parse(createdAt), visibleAtMs]).toEqual([startMs, startMs - 60_000]);
    expect(await one.workOnce()).toBe('ended');
    expect(one.deps.metrics.told).toEqual([['jobEnded', 'test.note', 'completed', 0]]);
  });

  it('refuses data that is not what its worker takes, and stores nothing', async () => {
    const strict = new JobDesk([
      noteWorker({
        schema: {
          '~standard': {
            validate: () => ({
              issues: [
                { message: 'is missing', path: ['a/b', { key: 'c~d' }, 0] },
                { message: 'is odd' },
              ],
            }),
          },
        },
      }),
    ]);
    await expect(strict.submit()).rejects.toMatchObject({
      code: 'invalid_request',
      details: [
        { pointer: '/data/a~1b/c~0d/0', detail: 'is missing' },
        { pointer: '/data', detail: 'is odd' },
      ],
    });
    expect(await strict.consistent()).toEqual([]);
    // What no worker of ours takes is nobody's to check.
    await strict.submit({ type: 'outside' });
  });

  it('answers although the queue does not: the job is stored', async () => {
    const queue = faultyJobQueue(desk.deps.queue, { send: ['not-written'] });
    const { id } = await desk.process({ queue }).submit();
    expect((await desk.job(id)).status).toBe('queued');
    expect(desk.deps.log.lines).toMatchObject([{ msg: 'job not sent', tenant: 'demo', job: id }]);
    expect(await desk.turns()).toEqual([]);
    await desk.reconcile();
    expect(await desk.workOnce()).toBe('ended');
  });

  it('stores what is to be stored with it, in the same commit', async () => {
    const key = { partition: 'demo#claims', sort: 'claim' };
    const counted = countingRecords(desk.deps.records);
    const { id, number } = await desk.process({ records: counted.port }).submit(
      {},
      {
        facts: { claim: 'CLM' },
        writes: (job) => [
          { kind: 'put', key, value: { id: job.id, name: `CLM-${job.number}` }, expect: 'absent' },
        ],
      },
    );
    expect((await desk.deps.records.get(key))?.value).toEqual({ id, name: `CLM-${number}` });
    expect(counted.calls.commit).toBe(1);
    await desk.consistent();
  });

  it('keeps nothing of it when what is to be stored with it conflicts', async () => {
    const key = { partition: 'demo#claims', sort: 'claim' };
    const besides = {
      writes: () => [{ kind: 'check', key, expect: 3 } as const],
    };
    await expect(desk.submit({}, besides)).rejects.toBeInstanceOf(Conflict);
    expect(await desk.consistent()).toEqual([]);
    expect(await desk.turns()).toEqual([]);
  });
});

describe('the data of a job', () => {
  /** JSON of so many bytes, not all of one byte each. */
  const sized = (bytes: number): string => `ü${'x'.repeat(bytes - 4)}`;

  it.each([
    ['in its record', 0],
    ['in the blob store', 1],
  ])('of 200 KB and a few bytes more is %s', async (_, more) => {
    const data = sized(jobLimits.maxInlineDataBytes + more);
    const { id } = await desk.submit({ data });
    const job = await desk.job(id);
    const sizeBytes = jobLimits.maxInlineDataBytes + more;
    if (more === 0) expect(job).toMatchObject({ data, dataRef: null });
    else expect(job).toMatchObject({ data: null, dataRef: { sizeBytes } });
    expect(await readJobData(desk.deps, 'demo', job)).toBe(data);
    let got: Json = null;
    const worker = noteWorker({ handler: async ({ data: given }) => ((got = given), null) });
    const working = new JobDesk([worker], desk.deps);
    expect(await working.workOnce()).toBe('ended');
    expect(got).toBe(data);
  });

  it('has a limit', async () => {
    await desk.submit({ data: sized(jobLimits.maxDataBytes) });
    await expect(desk.submit({ data: sized(jobLimits.maxDataBytes + 1) })).rejects.toBeInstanceOf(
      TooLarge,
    );
    expect(await desk.consistent()).toHaveLength(1);
  });

  it('that is lost fails the attempt, and says so', async () => {
    const { id } = await desk.submit({ data: sized(300_000) });
    const blobs = { ...desk.deps.blobs, get: async () => undefined };
    expect(await new JobDesk([noteWorker()], { ...desk.deps, blobs }).workOnce()).toBe('waits');
    expect((await desk.job(id)).error?.message).toMatch(/^The data [0-9a-f]{64} is not in the/);
  });
});

describe('an idempotency key', () => {
  const keyed = { idempotencyKey: 'once' } as const;

  it('answers a repeat as the first, and does nothing', async () => {
    const first = await desk.submit(keyed);
    await desk.workOnce();
    const { port: records, calls } = countingRecords(desk.deps.records);
    const again = await desk.process({ records }).submit(keyed);
    expect(again).toEqual({ ...first, status: 'known' });
    expect(calls.commit).toBe(0);
    expect(await desk.consistent()).toHaveLength(1);
    expect(await desk.turns()).toEqual([]);
  });

  it('belongs to its caller and its tenant', async () => {
    const job: NewJob = { ...plainJob, ...keyed, maxAttempts: 3 };
    const ids = await Promise.all(
      [
        { tenant: 'demo', actor: 'ravi' },
        { tenant: 'demo', actor: 'ann' },
        { tenant: 'other', actor: 'ravi' },
      ].map((by) => enqueueJob(desk.deps, { ...by, requestId: 'r' }, job)),
    );
    expect(ids.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
  });

  it.each<[string, Partial<NewJob>]>([
    ['type', { type: 'outside' }],
    ['data', { data: 'other' }],
    ['priority', { priority: 'low' }],
    ['subject', { subject: 'eve' }],
    ['attempts', { maxAttempts: 9 }],
  ])('is refused for a job of another %s', async (_, fields) => {
    await desk.submit(keyed);
    await expect(desk.submit({ ...keyed, ...fields })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    expect(await desk.consistent()).toHaveLength(1);
  });

  it('is known to a caller that says "in a minute" again', async () => {
    const { id } = await desk.submit({ ...keyed, notBeforeMs: startMs + 60_000 });
    desk.clock.set(startMs + 5000);
    const again = await desk.submit({ ...keyed, notBeforeMs: startMs + 65_000 });
    expect(again).toMatchObject({ status: 'known', id });
  });

  it('is forgotten after a week', async () => {
    const { id } = await desk.submit(keyed);
    desk.clock.set(startMs + jobLimits.idempotencyMs - 1);
    expect((await desk.submit(keyed)).status).toBe('known');
    desk.clock.set(startMs + jobLimits.idempotencyMs);
    const again = await desk.submit(keyed);
    expect(again.status).toBe('queued');
    expect(again.id).not.toBe(id);
  });

  it.each([
    ['in one journal', ['0', '2']],
    ['in different journals', ['0', '1']],
  ])('makes one job of two that come at once, %s', async (_, ends) => {
    const clock = new ManualClock();
    const both = new JobDesk([noteWorker()], { clock, ids: idsThatEnd(clock, ends) });
    const answers = await Promise.all([both.submit(keyed), both.submit(keyed)]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual(['known', 'queued']);
    expect(await both.consistent()).toHaveLength(1);
  });

  it('makes one job of two of different processes', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => desk.process({}).submit(keyed)),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await desk.consistent()).toHaveLength(1);
  });

  it('makes one job of a call whose answer was lost, and its repeat', async () => {
    const records = faultyRecords(desk.deps.records, ({ method, nth }) => {
      if (method === 'commit') return nth === 1 ? 'written-but-failed' : 'not-written';
      // The journal cannot be asked either.
      return method === 'get' && nth > 2 ? 'not-written' : undefined;
    });
    await expect(desk.process({ records }).submit(keyed)).rejects.toBeInstanceOf(Unavailable);
    expect((await desk.submit(keyed)).status).toBe('known');
    expect(await desk.consistent()).toHaveLength(1);
  });
});

describe('back-pressure', () => {
  /** As if there were so many open jobs already, in each journal. */
  async function fill(tally: Readonly<Record<string, number>>): Promise<void> {
    for (const journal of jobJournalsOf('demo', 2)) {
      const value = { nextIndex: 1, at: '2026-01-01T00:00:00.000Z', tally };
      await desk.deps.records.commit(
        [{ kind: 'put', key: headKey(journal), value, expect: 'absent' }],
        `fill ${journal}`,
      );
    }
  }
  const share = jobLimits.maxOpenJobs / 2;
  const tooMany = { code: 'too_many_requests', retryable: true, retryAfterS: 5 };

  it('refuses when the journals have their share of open jobs, waiting or running', async () => {
    await fill({ 'a/waiting': share - 10, 'b/running': 10 });
    await expect(desk.submit()).rejects.toMatchObject(tooMany);
    const heads = await desk.deps.records.getMany(jobJournalsOf('demo', 2).map(headKey));
    expect(heads.map((head) => head?.rev)).toEqual([1, 1]);
  });

  it('takes jobs up to the very last, also when many come at once', async () => {
    await fill({ 'test.note/waiting': share - 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => desk.submit()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(tooMany);
    }
  });

  it('refuses one type too many, but none that is known', async () => {
    const types = Array.from({ length: jobLimits.maxOpenTypes }, (_, n) => `t${n}`);
    await fill(Object.fromEntries(types.map((type) => [`${type}/running`, 1])));
    await expect(desk.submit()).rejects.toMatchObject(tooMany);
    await desk.submit({ type: 't7' });
  });
});

/** Ids that end in these digits, in turn. */
function idsThatEnd(clock: ManualClock, ends: readonly string[]): Ids {
  const plain = uuidIds(clock);
  let count = 0;
  return { next: () => plain.next().slice(0, -1) + ends[count++ % ends.length] };
}
