import { describe, expect, it } from 'vitest';
import { jobEvent, jobMessage } from '../../../src/contract/job-events.ts';
import { eventsOf } from '../../../src/core/events-of.ts';
import { jobJournalsOf, journalOfJob } from '../../../src/core/jobs/job-keys.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import type { ApiDesk } from './api-desk.ts';
import { deskWithTime, enqueued, leasedOne } from './job-desk.ts';

interface Message {
  readonly id: string;
  readonly action: string;
  readonly job: string;
}

/** The messages of a stream as they come, each held against the contract. */
async function listen(desk: ApiDesk, call: string, seen?: string) {
  const headers: Record<string, string> = seen === undefined ? {} : { 'last-event-id': seen };
  const response = await desk.open('service', call, { headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream',
  ]);
  const messages: Message[] = [];
  const positions: string[] = [];
  let ended = false;
  void (async () => {
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      for (const [, name, text = ''] of Buffer.from(chunk)
        .toString()
        .matchAll(/^(id|data): (.*)$/gm)) {
        if (name === 'id') positions.push(text);
        else {
          const { action, job } = messageOf(text);
          messages.push({ id: positions.at(-1) ?? '', action, job });
        }
      }
    }
    ended = true;
  })();
  await desk.deps.clock.advance(0);
  return { messages, positions, position: () => positions.at(-1) ?? '', ended: () => ended };
}

function messageOf(text: string) {
  const message = jobMessage.parse(JSON.parse(text));
  expect(message).toEqual(JSON.parse(text));
  return message;
}

const actionsIn = (messages: readonly Message[]) => messages.map(({ action }) => action);

/** Leases a job, whichever is ready, and brings it to its end; answers its id. */
async function finished(
  desk: ApiDesk,
  how: 'complete' | 'fail',
  more: object = {},
): Promise<string> {
  const { id, lease } = await leasedOne(desk);
  await desk.done('service', `POST /jobs/${id}/${how}`, { json: { lease, ...more } });
  return id;
}

const giveUp = { message: 'no', final: true };
const opened = { type: 'case.opened', subject: 'CASE-7', data: { urgency: 3 } };

describe('the stream of a job', () => {
  it('begins with the first step, and ends after what its completion emitted', async () => {
    const desk = deskWithTime();
    const others = await enqueued(desk, { type: 'other.job' });
    const id = await enqueued(desk);
    const live = await listen(desk, `GET /jobs/${id}/events`);
    expect(actionsIn(live.messages)).toEqual(['job.queued']);
    const { lease } = await leasedOne(desk);
    await desk.done('service', `DELETE /jobs/${others}`);
    const progress = { json: { lease, percent: 50, note: 'half' } };
    await desk.done('service', `POST /jobs/${id}/progress`, progress);
    await desk.deps.clock.advance(1000);
    expect([actionsIn(live.messages).slice(1), live.ended()]).toEqual([
      ['job.started', 'job.progressed'],
      false,
    ]);
    const json = { lease, result: 1, events: [opened] };
    await desk.done('service', `POST /jobs/${id}/complete`, { json });
    await desk.deps.clock.advance(1000);
    expect(actionsIn(live.messages).slice(3)).toEqual(['job.completed', 'case.opened']);
    expect(live.ended()).toBe(true);
    expect(new Set(live.messages.map(({ job }) => job))).toEqual(new Set([id]));
    // The same again for who comes when all is over.
    const late = await listen(desk, `GET /jobs/${id}/events`);
    expect([late.messages, late.ended()]).toEqual([live.messages, true]);
  });

  it('begins where the job does, in its journal', async () => {
    const desk = deskWithTime({ jobJournals: 1 });
    for (let at = 0; at < 3; at++) await enqueued(desk, { type: 'other.job' });
    const live = await listen(desk, `GET /jobs/${await enqueued(desk)}/events`);
    expect(live.positions).toEqual(['2', '3']);
    const all = await listen(desk, 'GET /api/stream/jobs', '1');
    expect(all.positions).toEqual(['1', '2', '3']);
  });

  it('goes on after what a reader has seen, and sends away who has seen the end', async () => {
    const desk = deskWithTime();
    const id = await enqueued(desk);
    const call = `GET /jobs/${id}/events` as const;
    await finished(desk, 'fail', { reject: { validator: 'v', reason: 'r' } });
    const all = (await listen(desk, call)).messages;
    expect(actionsIn(all)).toEqual(['job.queued', 'job.started', 'job.rejected']);
    const [queued, , last] = all;
    expect((await listen(desk, call, queued?.id)).messages).toEqual(all.slice(1));
    const inQuery = await listen(desk, `${call}?lastEventId=${queued?.id}`);
    expect(inQuery.messages).toEqual(all.slice(1));
    const headers = { 'last-event-id': String(last?.id) };
    const over = await desk.ask('service', call, { headers });
    expect([over.status, over.text]).toEqual([204, '']);
    const beyond = await listen(desk, call, '999');
    expect([beyond.messages, beyond.ended()]).toEqual([[], true]);
    expect((await listen(desk, call, '-1')).messages).toEqual(all);
  });

  it.each(['complete', 'cancel'] as const)('ends when the job does: %s', async (how) => {
    const desk = deskWithTime();
    const id = await enqueued(desk);
    const live = await listen(desk, `GET /jobs/${id}/events`);
    if (how === 'complete') await finished(desk, 'complete');
    else await desk.done('service', `DELETE /jobs/${id}`);
    await desk.deps.clock.advance(1000);
    expect(live.ended()).toBe(true);
  });

  it('ends with a death, and goes on for who comes back after a retry', async () => {
    const desk = deskWithTime();
    const id = await enqueued(desk);
    const call = `GET /jobs/${id}/events` as const;
    const live = await listen(desk, call);
    await finished(desk, 'fail', giveUp);
    await desk.deps.clock.advance(1000);
    expect([actionsIn(live.messages).at(-1), live.ended()]).toEqual(['job.dead', true]);
    const headers = { 'last-event-id': live.position() };
    expect((await desk.ask('service', call, { headers })).status).toBe(204);
    await desk.done('service', `POST /jobs/${id}/retry`);
    const again = await listen(desk, call, live.position());
    expect([actionsIn(again.messages), again.ended()]).toEqual([['job.retried'], false]);
    // Who reads from the beginning is not stopped by the death that is past.
    const whole = await listen(desk, call);
    expect(whole.ended()).toBe(false);
    await desk.deps.clock.advance(1000);
    await finished(desk, 'fail', giveUp);
    await desk.deps.clock.advance(1000);
    const steps = [
      'job.queued',
      'job.started',
      'job.dead',
      'job.retried',
      'job.started',
      'job.dead',
    ];
    expect([actionsIn(whole.messages), whole.ended()]).toEqual([steps, true]);
    expect(again.ended()).toBe(true);
    expect((await listen(desk, call)).messages).toEqual(whole.messages);
    expect((await listen(desk, call, live.position())).messages).toEqual(again.messages);
  });

  it('is of the tenant that has the job, for who may read it', async () => {
    const desk = deskWithTime();
    const call = `GET /jobs/${await enqueued(desk)}/events` as const;
    await desk.refused(404, 'stranger', call);
    await desk.refused(403, 'reader', call);
    await desk.refused(400, 'service', call, { headers: { 'last-event-id': '1.1' } });
  });
});

describe('the stream of all jobs', () => {
  const call = 'GET /api/stream/jobs';

  /** Jobs until each of the two journals has some. */
  async function spread(desk: ApiDesk): Promise<readonly string[]> {
    const ids: string[] = [];
    const journals = new Set<string>();
    while (journals.size < desk.deps.jobJournals || ids.length < 5) {
      const id = await enqueued(desk);
      ids.push(id);
      journals.add(journalOfJob({ tenant: 'demo', id }, desk.deps.jobJournals));
    }
    return ids;
  }

  it('tells every step in every journal from now on, and what they emit', async () => {
    const desk = deskWithTime();
    const early = await spread(desk);
    const live = await listen(desk, call);
    expect(live.messages).toEqual([]);
    const ids = await spread(desk);
    await desk.deps.clock.advance(1000);
    expect(live.messages.map(({ job }) => job).sort()).toEqual([...ids].sort());
    const done = await finished(desk, 'complete', { events: [opened] });
    await desk.deps.clock.advance(1000);
    const told = live.messages.filter(({ job }) => job === done);
    const wanted = ['job.started', 'job.completed', 'case.opened'];
    expect(actionsIn(told).slice(-3)).toEqual(wanted);
    const whole = await listen(desk, call, '-1');
    expect(whole.messages).toHaveLength(early.length + ids.length + 3);
    expect(whole.position()).toBe(live.position());
    expect(whole.ended()).toBe(false);
    const stranger = await desk.open('stranger', call);
    const reader = (stranger.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toContain('id: -1.-1\n');
    await reader.cancel();
  });

  it('goes on in each journal where a reader was, from every message', async () => {
    const desk = deskWithTime();
    await spread(desk);
    await finished(desk, 'complete', { events: [opened, opened] });
    const { messages } = await listen(desk, call, '-1');
    expect(messages.length).toBeGreaterThan(8);
    const keysOf = (some: readonly Message[]) => some.map(({ job, action }) => job + action).sort();
    for (const { id } of messages) {
      expect(id).toMatch(/^(?:-1|\d+)\.(?:-1|\d+)$/);
      // The first with an id is the last of its entry; those of the next one come again.
      const first = messages.findIndex((message) => message.id === id);
      const after = (await listen(desk, call, id)).messages;
      expect(keysOf(after)).toEqual(keysOf(messages.slice(first + 1)));
    }
    expect((await listen(desk, `${call}?lastEventId=${messages.at(-1)?.id}`)).messages).toEqual([]);
  });

  it('is of one type of job, if asked for one', async () => {
    const desk = deskWithTime();
    const live = await listen(desk, `${call}?type=sms.send`);
    await enqueued(desk);
    const id = await enqueued(desk, { type: 'sms.send' });
    const { lease } = await leasedOne(desk, { types: ['sms.send'] });
    const json = { lease, events: [opened] };
    await desk.done('service', `POST /jobs/${id}/complete`, { json });
    await desk.deps.clock.advance(1000);
    expect(actionsIn(live.messages)).toEqual([
      'job.queued',
      'job.started',
      'job.completed',
      'case.opened',
    ]);
    expect(new Set(live.messages.map(({ job }) => job))).toEqual(new Set([id]));
  });

  it('beats with the position that it has moved to', async () => {
    const desk = deskWithTime();
    const live = await listen(desk, `${call}?type=sms.send`);
    expect(live.position()).toBe('-1.-1');
    await spread(desk);
    await desk.deps.clock.advance(15_000);
    expect(live.messages).toEqual([]);
    const { position } = await listen(desk, call);
    expect(live.position()).toBe(position());
    expect(position()).toMatch(/^\d+\.\d+$/);
  });

  it.each(['0', '0.0.0', '0.', '1.x', '0.-2', '', '.'])(
    'refuses to begin after %j',
    async (seen) => {
      const desk = deskWithTime();
      await desk.refused(400, 'service', call, { headers: { 'last-event-id': seen } });
      await desk.refused(400, 'service', `${call}?lastEventId=${seen}`);
    },
  );

  it('is for who may read jobs', async () => {
    await deskWithTime().refused(403, 'reader', call);
  });
});

describe('events of jobs', () => {
  it('are as the contract has them', async () => {
    const desk = deskWithTime();
    const id = await enqueued(desk);
    await finished(desk, 'fail', giveUp);
    await desk.done('service', `POST /jobs/${id}/retry`, { json: { reason: 'once more' } });
    await finished(desk, 'fail', { message: 'no' });
    await desk.deps.clock.advance(3000);
    await finished(desk, 'complete', { result: { a: 1 }, events: [opened] });
    const other = await enqueued(desk, { reason: 'why not', delaySeconds: 9 });
    await desk.done('service', `DELETE /jobs/${other}`, { headers: { 'x-reason': 'a slip' } });
    const events = [];
    for (const journal of jobJournalsOf('demo', desk.deps.jobJournals)) {
      const entries = await entriesAfter(desk.deps, journal, -1, 100);
      events.push(...entries.flatMap((entry) => eventsOf(journal, entry)));
    }
    expect(events.map(({ type, subject }) => `${type} ${subject}`).sort()).toEqual(
      [
        `job.dead job:${id}`,
        `job.completed job:${id}`,
        'case.opened CASE-7',
        `job.cancelled job:${other}`,
      ].sort(),
    );
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    for (const event of events) expect(jobEvent.parse(event)).toEqual(event);
  });
});
