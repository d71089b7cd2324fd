import { beforeEach, describe, expect, it } from 'vitest';
import { eventsOf } from '../../../src/core/events-of.ts';
import { jobEventsOf, jobMessagesOf } from '../../../src/core/jobs/job-events.ts';
import { journalOfJob } from '../../../src/core/jobs/job-keys.ts';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { OutsideWorker, outsideType } from './outside-worker.ts';

let desk: JobDesk;
let worker: OutsideWorker;
let id: string;
let journal: string;
beforeEach(async () => {
  desk = new JobDesk();
  worker = new OutsideWorker(desk);
  ({ id } = await desk.submit({ type: outsideType, reason: 'why not' }));
  journal = journalOfJob({ tenant: 'demo', id }, 2);
});

async function entries(): Promise<JournalEntry[]> {
  return entriesAfter(desk.deps, journal, -1, 100);
}

const emissions = [
  { type: 'case.opened', subject: 'CASE-7', data: { urgency: 'high' } },
  { type: 'crew.told', subject: 'CASE-7', data: null },
];

describe('the messages of a job', () => {
  it('tell each step, then what the completion emitted', async () => {
    const leased = await worker.leaseOne();
    await worker.progress(leased, 50);
    await worker.finish(leased, { kind: 'completed', result: { case: 7 }, emissions });
    const said = (await entries()).flatMap((entry) => jobMessagesOf(journal, entry));
    const at = '2026-01-01T00:00:00.000Z';
    const { number } = await desk.job(id);
    const of = { tenant: 'demo', job: id, at };
    const step = { ...of, number, type: outsideType, attempt: 1, actor: 'crew', reason: null };
    expect(said).toEqual([
      {
        ...of,
        index: 0,
        action: 'job.queued',
        type: outsideType,
        status: 'queued',
        attempt: 0,
        priority: 'normal',
        subject: 'ravi',
        notBefore: null,
        dataDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        actor: 'ravi',
        reason: 'why not',
      },
      { ...step, index: 1, action: 'job.started', status: 'processing', worker: 'crew' },
      {
        ...step,
        index: 2,
        action: 'job.progressed',
        status: 'processing',
        progress: { percent: 50, note: null },
      },
      { ...step, index: 3, action: 'job.completed', status: 'completed', result: { case: 7 } },
      {
        ...of,
        index: 3,
        action: 'case.opened',
        subject: 'CASE-7',
        data: { urgency: 'high' },
      },
      { ...of, index: 3, action: 'crew.told', subject: 'CASE-7', data: null },
    ]);
  });

  it('are none for what is not about a job', async () => {
    const [entry] = await entries();
    expect(jobMessagesOf(journal, { ...entry!, subject: 'policy:p' })).toEqual([]);
  });

  it('never tell the token of a lease', async () => {
    const leased = await worker.leaseOne();
    await worker.complete(leased);
    expect(JSON.stringify(await entries())).not.toContain(leased.lease.token);
  });
});

describe('the events of a job', () => {
  it('tell of its end and of all that it emitted, each under an id of its own', async () => {
    const leased = await worker.leaseOne();
    await worker.progress(leased, 50);
    await worker.finish(leased, { kind: 'completed', result: null, emissions });
    const events = (await entries()).flatMap((entry) => eventsOf(journal, entry));
    expect(events.map(({ id: eventId, type, subject }) => [eventId, type, subject])).toEqual([
      [`${journal}/3/job.completed`, 'job.completed', `job:${id}`],
      [`${journal}/3/case.opened/1`, 'case.opened', 'CASE-7'],
      [`${journal}/3/crew.told/2`, 'crew.told', 'CASE-7'],
    ]);
    await desk.deps.bus.publish(events);
    expect(events[1]?.data).toEqual(jobMessagesOf(journal, (await entries())[3]!)[1]);
  });

  it.each([
    ['job.rejected', { kind: 'rejected', validator: 'v', reason: 'no' }],
    ['job.dead', { kind: 'failed', code: 'c', message: 'm', final: true }],
  ] as const)('tell that it is %s', async (type, outcome) => {
    await worker.finish(await worker.leaseOne(), outcome);
    const told = (await entries()).flatMap((entry) => jobEventsOf(journal, entry));
    expect(told.map((event) => event.type)).toEqual([type]);
  });

  it('tell that it was cancelled, but not that it failed, was retried or started', async () => {
    await worker.fail(await worker.leaseOne());
    await desk.retry(id);
    await desk.cancel(id);
    const told = (await entries()).flatMap((entry) => jobEventsOf(journal, entry));
    expect(told.map((event) => event.type)).toEqual(['job.cancelled']);
  });
});
