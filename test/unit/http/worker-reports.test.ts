import { describe, expect, it } from 'vitest';
import { jobEvent } from '../../../src/contract/job-events.ts';
import { requireJob } from '../../../src/core/jobs/change-job.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { eventsOf } from '../../../src/core/events-of.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { ApiDesk } from './api-desk.ts';
import { deskWithTime, leased, lost, pageOf, taken, to } from './job-desk.ts';

describe('POST /jobs/{job}/complete', () => {
  it('keeps the result, and publishes what it is told', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const opened = { type: 'case.opened', subject: 'CASE-7', data: { urgency: 3 } };
    const json = { lease: job.lease, result: { messageId: 'm-1' }, events: [opened] };
    expect(await desk.done('service', to(job, 'complete'), { json })).toEqual({
      status: 'completed',
    });
    expect(await pageOf(desk, job)).toMatchObject({
      status: 'completed',
      result: { messageId: 'm-1' },
      worker: null,
      endedAt: '2026-01-01T00:00:00.000Z',
    });
    const events = await eventsIn(desk);
    expect(events.map(({ type, subject }) => [type, subject])).toEqual([
      ['job.completed', `job:${job.id}`],
      ['case.opened', 'CASE-7'],
    ]);
    expect(events[1]?.data).toMatchObject({ job: job.id, data: { urgency: 3 } });
    expect(desk.deps.metrics.told).toContainEqual(['jobEnded', 'other', 'completed', 0]);
  });

  it('answers a repeat the same, and does nothing', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const opened = { type: 'case.opened', subject: 'CASE-7', data: null };
    const json = { lease: job.lease, result: 1, events: [opened] };
    const first = await desk.done('service', to(job, 'complete'), { json });
    expect(await desk.done('service', to(job, 'complete'), { json })).toEqual(first);
    expect(await eventsIn(desk)).toHaveLength(2);
    await lost(desk, to(job, 'fail'), { lease: job.lease, message: 'no' });
    await lost(desk, to(job, 'heartbeat'), { lease: job.lease });
  });

  it('takes all that a result and its events may have', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const result = 'x'.repeat(64 * 1024 - 2);
    const events = Array.from({ length: 20 }, (_, at) => {
      return { type: 'part.made', subject: `P-${at}`, data: 'x'.repeat(5000) };
    });
    const tooMany = { lease: job.lease, events: [...events, events[0]] };
    const call = to(job, 'complete');
    expect(await desk.refused(400, 'service', call, { json: tooMany })).toEqual(['/events']);
    const tooLarge = { lease: job.lease, result: `${result}x` };
    await desk.refused(413, 'service', call, { json: tooLarge });
    await desk.done('service', call, { json: { lease: job.lease, result, events } });
    for (const event of await eventsIn(desk)) expect(jobEvent.parse(event)).toEqual(event);
  });

  it.each(['job.completed', 'policy.updated', 'run.ended', 'delivery.acked', 'opened', 'Case.x'])(
    'publishes no %s',
    async (type) => {
      const desk = new ApiDesk();
      const job = await taken(desk);
      const json = { lease: job.lease, events: [{ type, subject: 'x', data: null }] };
      const pointers = await desk.refused(400, 'service', to(job, 'complete'), { json });
      expect(pointers).toEqual(['/events/0/type']);
    },
  );
});

async function eventsIn(desk: ApiDesk) {
  const journals = jobJournalsOf('demo', desk.deps.jobJournals);
  const found = await Promise.all(
    journals.map(async (journal) =>
      (await entriesAfter(desk.deps, journal, -1, 100)).flatMap((entry) =>
        eventsOf(journal, entry),
      ),
    ),
  );
  return found.flat();
}

describe('POST /jobs/{job}/fail', () => {
  it('has the job tried again, no sooner than it says', async () => {
    const desk = deskWithTime();
    const job = await taken(desk);
    const json = { lease: job.lease, message: 'refused\nby the host', retryAfterSeconds: 120 };
    const nextAttemptAt = '2026-01-01T00:02:00.000Z';
    expect(await desk.done('service', to(job, 'fail'), { json })).toEqual({
      status: 'failed',
      nextAttemptAt,
    });
    expect(await pageOf(desk, job)).toMatchObject({
      status: 'failed',
      nextAttemptAt,
      error: { code: 'handler_failed', message: 'refused by the host', validator: null },
    });
    expect(await desk.done('service', to(job, 'fail'), { json })).toMatchObject({ nextAttemptAt });
    await desk.deps.clock.advance(119_999);
    expect(await leased(desk)).toEqual([]);
    await desk.deps.clock.advance(1);
    expect((await leased(desk))[0]).toMatchObject({ id: job.id, attempt: 2 });
  });

  it('ends with the last attempt, or when there is no use', async () => {
    const desk = new ApiDesk();
    for (const [more, said] of [
      [{ maxAttempts: 1 }, {}],
      [{ maxAttempts: 5 }, { final: true }],
    ]) {
      const job = await taken(desk, more);
      const json = { lease: job.lease, message: 'no', code: 'address_unknown', ...said };
      expect(await desk.done('service', to(job, 'fail'), { json })).toEqual({
        status: 'dead',
        nextAttemptAt: null,
      });
      expect(await pageOf(desk, job)).toMatchObject({ error: { code: 'address_unknown' } });
    }
  });

  it('rejects what is not acceptable, with who says so', async () => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const reject = { validator: 'address', reason: 'there is no such street' };
    const json = { lease: job.lease, reject };
    expect(await desk.done('service', to(job, 'fail'), { json })).toEqual({
      status: 'rejected',
      nextAttemptAt: null,
    });
    expect(await pageOf(desk, job)).toMatchObject({
      status: 'rejected',
      error: { code: 'rejected', message: 'there is no such street', validator: 'address' },
    });
    const refused = await desk.ask('service', `POST /jobs/${job.id}/retry`);
    expect([refused.status, refused.body['code']]).toEqual([409, 'job_not_open']);
  });

  it.each([
    ['neither', {}, '/message'],
    ['both', { message: 'no', reject: { validator: 'v', reason: 'r' } }, ''],
    ['a code that is none', { message: 'no', code: 'No Code' }, '/code'],
    ['a wait too long', { message: 'no', retryAfterSeconds: 86_401 }, '/retryAfterSeconds'],
    ['a rejection by nobody', { reject: { reason: 'r' } }, '/reject/validator'],
  ])('refuses %s', async (_, more, pointer) => {
    const desk = new ApiDesk();
    const job = await taken(desk);
    const json = { lease: job.lease, ...more };
    expect(await desk.refused(400, 'service', to(job, 'fail'), { json })).toEqual([pointer]);
    const { value } = await requireJob(desk.deps, { tenant: 'demo', id: job.id });
    expect(value.status).toBe('processing');
  });
});
