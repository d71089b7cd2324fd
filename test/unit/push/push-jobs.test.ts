import { describe, expect, it } from 'vitest';
import { jobMessage } from '../../../src/contract/job-events.ts';
import { runChange } from '../../../src/contract/run-events.ts';
import { ApiDesk } from '../http/api-desk.ts';
import { enqueued, leasedOne } from '../http/job-desk.ts';
import { PushDesk } from './push-desk.ts';

const actions = (data: readonly object[]) => data.map((each) => Reflect.get(each, 'action'));
const opened = { type: 'case.opened', subject: 'CASE-7', data: { urgency: 3 } };

function desks() {
  const desk = new PushDesk();
  return { desk, api: new ApiDesk(desk.deps) };
}

async function completed(api: ApiDesk, more: object = {}): Promise<string> {
  const { id, lease } = await leasedOne(api);
  await api.done('service', `POST /jobs/${id}/complete`, { json: { lease, result: 1, ...more } });
  return id;
}

describe('a subscription to a job', () => {
  it('tells it from the first step to the last, and is over then', async () => {
    const { desk, api } = desks();
    const id = await enqueued(api);
    const client = await desk.connect();
    await client.send({ type: 'subscribe', subscription: 'mine', topic: 'job', job: id });
    await desk.push();
    expect(actions(client.data('mine'))).toEqual(['job.queued']);
    const { lease } = await leasedOne(api);
    await api.done('service', `POST /jobs/${id}/progress`, { json: { lease, percent: 50 } });
    await desk.push();
    expect(actions(client.data('mine')).slice(1)).toEqual(['job.started', 'job.progressed']);
    const json = { lease, result: 1, events: [opened] };
    await api.done('service', `POST /jobs/${id}/complete`, { json });
    await desk.push();
    for (const data of client.data('mine')) jobMessage.parse(data);
    expect(actions(client.data('mine')).slice(3)).toEqual(['job.completed', 'case.opened']);
    // Only the last of an entry moves the position.
    expect(client.ids('mine').slice(3)).toEqual([null, client.position('mine')]);
    expect(client.frames.at(-1)).toEqual({ type: 'ended', subscription: 'mine' });
    expect(await client.send({ type: 'ping' })).toEqual([{ type: 'pong', positions: {} }]);
  });

  it('that is over tells all of it, or no more than the end', async () => {
    const { desk, api } = desks();
    await enqueued(api);
    const id = await completed(api);
    await enqueued(api);
    const client = await desk.connect();
    const about = { type: 'subscribe', topic: 'job', job: id } as const;
    await client.send({ ...about, subscription: 'all' });
    await desk.push();
    expect(actions(client.data('all'))).toEqual(['job.queued', 'job.started', 'job.completed']);
    const after = client.position('all');
    await client.send({ ...about, subscription: 'seen', after });
    await desk.push();
    expect(client.frames.slice(-2)).toEqual([
      { type: 'subscribed', subscription: 'seen', after },
      { type: 'ended', subscription: 'seen' },
    ]);
  });

  it('that is dead goes on when it is retried', async () => {
    const { desk, api } = desks();
    const id = await enqueued(api, { maxAttempts: 1 });
    const { lease } = await leasedOne(api);
    const json = { lease, message: 'no', final: true };
    await api.done('service', `POST /jobs/${id}/fail`, { json });
    desk.deps.clock.set(desk.deps.clock.nowMs() + 1000);
    await api.done('service', `POST /jobs/${id}/retry`);
    const client = await desk.connect();
    await client.send({ type: 'subscribe', subscription: 'mine', topic: 'job', job: id });
    await desk.push();
    expect(actions(client.data('mine')).slice(2)).toEqual(['job.dead', 'job.retried']);
    await completed(api);
    await desk.push();
    expect(client.frames.at(-1)).toEqual({ type: 'ended', subscription: 'mine' });
  });
});

describe('a subscription to all jobs', () => {
  it('has positions in each journal, by which it goes on without a gap', async () => {
    const { desk, api } = desks();
    const subscribe = { type: 'subscribe', subscription: 'all', topic: 'jobs' } as const;
    const first = await desk.connect();
    await first.send(subscribe);
    await desk.work();
    expect(first.position('all')).toBe('-1.-1');
    const jobs: string[] = [];
    for (let nth = 0; nth < 12; nth++) jobs.push(await enqueued(api));
    await desk.push();
    const after = first.position('all');
    expect(after).toMatch(/^\d+\.\d+$/);
    const [one, two] = after.split('.').map(Number);
    expect((one ?? 0) + (two ?? 0) + 2).toBe(12);
    for (let nth = 0; nth < 12; nth++) jobs.push(await enqueued(api));
    const second = await desk.connect();
    await second.send({ ...subscribe, after });
    await desk.push();
    const heard = [...first.data('all').slice(0, 12), ...second.data('all')];
    expect(heard).toHaveLength(24);
    expect(new Set(heard.map(({ job }) => job))).toEqual(new Set(jobs));
    expect(first.position('all')).toBe(second.position('all'));
    expect(await second.send({ type: 'ping' })).toEqual([
      { type: 'pong', positions: { all: second.position('all') } },
    ]);
  });

  it('tells those of one type, and events of one type', async () => {
    const { desk, api } = desks();
    const client = await desk.connect();
    const about = { type: 'subscribe' } as const;
    await client.send({ ...about, subscription: 'mail', topic: 'jobs', jobType: 'mail.send' });
    await client.send({ ...about, subscription: 'e', topic: 'events', eventType: 'case.opened' });
    await enqueued(api, { type: 'other.job' });
    const id = await enqueued(api);
    await completed(api, { events: [opened, { ...opened, type: 'crew.notified' }] });
    await desk.push();
    expect(new Set(client.data('mail').map(({ job }) => job))).toEqual(new Set([id]));
    expect(actions(client.data('e'))).toEqual(['case.opened']);
  });
});

describe('a subscription to a run', () => {
  it('tells it from the first step to the last, as its stream does', async () => {
    const { desk, api } = desks();
    // Others' steps are before it and between.
    for (const id of ['other', 'epa']) {
      const snapshot = await api.rule(id, '2.0.0');
      await api.done('editor', 'POST /api/runs', { json: { policies: [{ id, snapshot }] } });
    }
    const client = await desk.connect();
    await client.send({ type: 'subscribe', subscription: 'run', topic: 'run', run: 2 });
    await desk.push();
    for (const run of [1, 2]) await api.done('editor', `POST /api/runs/${run}/abort`);
    await desk.push();
    for (const data of client.data('run')) runChange.parse(data);
    expect(actions(client.data('run'))).toEqual(['run.queued', 'run.ended']);
    expect(client.frames.at(-1)).toEqual({ type: 'ended', subscription: 'run' });
  });
});
