import { describe, expect, it } from 'vitest';
import { eventOperations } from '../../../src/contract/operations/event-operations.ts';
import { feedOperations } from '../../../src/contract/operations/feed-operations.ts';
import { jobOperations } from '../../../src/contract/operations/job-operations.ts';
import { messageText } from '../../../src/core/push/entry-texts.ts';
import { shardOf, shardPartition } from '../../../src/core/push/push-keys.ts';
import { issueTicket } from '../../../src/core/push/tickets.ts';
import { scopeOfTopic } from '../../../src/core/push/topic-terms.ts';
import { hourMs, principalOf, PushDesk } from './push-desk.ts';

const prod = {
  type: 'subscribe',
  subscription: 'prod',
  topic: 'policies',
  channel: 'prod',
} as const;

describe('a connection that a gateway holds', () => {
  it('is opened by a ticket, once', async () => {
    const desk = new PushDesk();
    const { ticket } = await issueTicket(desk.deps, principalOf(desk.deps));
    expect(await desk.gateway.connect('a=', ticket)).toBe(200);
    expect(await desk.gateway.connect('b=', ticket)).toBe(401);
    expect(await desk.gateway.connect('c=', '')).toBe(401);
  });

  it('says how long it lives, and how often to ping', async () => {
    const desk = new PushDesk();
    const nowMs = desk.deps.clock.nowMs();
    const client = await desk.connect();
    const until = new Date(nowMs + 115 * 60_000).toISOString();
    expect(await client.send({ type: 'hello' })).toEqual([
      { type: 'hello', pingSeconds: 60, until },
    ]);
    const brief = await desk.connect({ expiresAtMs: nowMs + hourMs });
    expect(await brief.send({ type: 'hello' })).toMatchObject([
      { until: new Date(nowMs + hourMs).toISOString() },
    ]);
  });

  it('is told each change after it subscribed, as the stream tells it', async () => {
    const desk = new PushDesk();
    await desk.publish(2);
    const client = await desk.connect();
    expect(await client.send(prod)).toEqual([]);
    await desk.work();
    expect(client.read()).toEqual([{ type: 'subscribed', subscription: 'prod', after: '1' }]);
    await desk.publish(1, 'dev');
    const [index = 0] = await desk.publish();
    await desk.push();
    expect(client.read()).toMatchObject([
      {
        type: 'message',
        subscription: 'prod',
        id: String(index),
        data: { index, channel: 'prod' },
      },
    ]);
  });

  it('moves its positions over what it is not told, and says so to a ping', async () => {
    const desk = new PushDesk();
    const client = await desk.connect();
    await client.send(prod);
    expect(await client.send({ type: 'ping' })).toEqual([{ type: 'pong', positions: {} }]);
    await desk.work();
    await desk.publish(3, 'dev');
    await desk.push();
    expect(client.ids('prod')).toEqual([]);
    expect(await client.send({ type: 'ping' })).toEqual([
      { type: 'pong', positions: { prod: '2' } },
    ]);
  });

  it('goes on after a position, without a gap', async () => {
    const desk = new PushDesk();
    await desk.publish(250);
    await desk.relay();
    const client = await desk.connect();
    await client.send({ ...prod, after: '19' });
    await desk.publish(5);
    await desk.push();
    const wanted = Array.from({ length: 235 }, (_, nth) => String(nth + 20));
    expect(client.ids('prod')).toEqual(wanted);
    expect(client.frames[0]).toEqual({ type: 'subscribed', subscription: 'prod', after: '19' });
  });

  it('catches up in steps, between which others of its shard have their turn', async () => {
    const desk = new PushDesk();
    await desk.publish(250);
    const client = await desk.connect();
    await client.send({ ...prod, after: '-1' });
    // The shard has been told all of it.
    const early = await sameShard(desk, client.connection);
    await early.send(prod);
    const taken = desk.queue.take();
    expect(taken).toHaveLength(2);
    desk.queue.settle(taken, taken);
    await desk.push();
    expect(client.ids('prod')).toHaveLength(250);
    expect(new Set(client.ids('prod')).size).toBe(250);
  });

  it('is told nothing any more when it unsubscribed, or subscribed to something else by the name', async () => {
    const desk = new PushDesk();
    const [left, changed] = [await desk.connect(), await desk.connect()];
    await left.send(prod);
    await changed.send(prod);
    await desk.work();
    const unsubscribe = { type: 'unsubscribe', subscription: 'prod' } as const;
    expect((await left.send(unsubscribe)).at(-1)).toEqual({
      type: 'unsubscribed',
      subscription: 'prod',
    });
    expect(await left.send({ ...unsubscribe, subscription: 'none' })).toHaveLength(1);
    await changed.send({ ...prod, channel: 'dev' });
    await desk.publish(1, 'prod');
    await desk.publish(1, 'dev');
    await desk.push();
    expect(left.ids('prod')).toEqual([]);
    expect(changed.data('prod').map(({ channel }) => channel)).toEqual(['dev']);
  });

  it('of one tenant is told nothing of another, and finds none of its jobs and runs', async () => {
    const desk = new PushDesk();
    const client = await desk.connect({ tenant: 'other' });
    await client.send({ ...prod, after: '-1' });
    await desk.publish(3);
    await desk.push();
    expect(client.ids('prod')).toEqual([]);
    const about = { type: 'subscribe', subscription: 'x' } as const;
    const job = '01a1fa1c-4906-7065-9f47-fcf9f8ab7a80';
    for (const frame of [
      { ...about, topic: 'run', run: 1 } as const,
      { ...about, topic: 'job', job } as const,
    ]) {
      expect((await client.send(frame)).at(-1)).toMatchObject({
        type: 'error',
        subscription: 'x',
        problem: { code: 'not_found' },
      });
    }
  });

  it.each([
    ['a position that is none', { ...prod, after: '1.2' }, 'invalid_request'],
    ['a field that it does not know', { ...prod, chanel: 'prod' }, 'invalid_request'],
    ['no name', { ...prod, subscription: '' }, 'invalid_request'],
    ['no topic', { type: 'subscribe', subscription: 'x', topic: 'all' }, 'invalid_request'],
    ['no type', {}, 'invalid_request'],
    ['no object', [], 'invalid_request'],
  ])('refuses %s, and changes nothing', async (_, frame, code) => {
    const desk = new PushDesk();
    const client = await desk.connect();
    expect(await client.send(JSON.stringify(frame))).toMatchObject([
      { type: 'error', problem: { code } },
    ]);
    expect(desk.queue.take()).toEqual([]);
    expect(await client.send({ type: 'ping' })).toEqual([{ type: 'pong', positions: {} }]);
  });

  it.each([
    ['too large', 'x'.repeat(4097), 'too_large'],
    ['too large in bytes', '"'.padEnd(4000, 'é'), 'too_large'],
    ['not JSON', '{', 'invalid_request'],
    ['nested too deeply', '['.repeat(5) + ']'.repeat(5), 'invalid_request'],
    ['a name twice', '{"type":"ping","type":"hello"}', 'invalid_request'],
    ['empty', '', 'invalid_request'],
    ['bytes', null, 'invalid_request'],
  ])('answers what is %s with an error', async (_, text, code) => {
    const client = await new PushDesk().connect();
    expect(await client.send(text)).toMatchObject([{ type: 'error', problem: { code } }]);
  });

  it('needs the scope of the topic, as its stream does', async () => {
    const desk = new PushDesk();
    const reader = await desk.connect({ scopes: new Set(['read:policy']) });
    const frame = { type: 'subscribe', subscription: 'all', topic: 'jobs' } as const;
    expect(await reader.send(frame)).toMatchObject([{ problem: { code: 'forbidden' } }]);
    expect([
      scopeOfTopic({ topic: 'policies' }),
      scopeOfTopic({ topic: 'run', run: 1 }),
      scopeOfTopic({ topic: 'job', job: 'x' }),
      scopeOfTopic({ topic: 'jobs' }),
      scopeOfTopic({ topic: 'events' }),
    ]).toEqual([
      feedOperations.streamPolicies.scope,
      feedOperations.streamRun.scope,
      jobOperations.streamJob.scope,
      jobOperations.streamJobs.scope,
      eventOperations.streamEvents.scope,
    ]);
  });

  it('has 16 subscriptions at the most, and may take one anew', async () => {
    const desk = new PushDesk();
    const client = await desk.connect();
    for (let nth = 0; nth < 16; nth++) {
      expect(await client.send({ ...prod, subscription: `s${nth}` })).toEqual([]);
    }
    expect(await client.send(prod)).toMatchObject([
      { subscription: 'prod', problem: { code: 'too_many_requests' } },
    ]);
    expect(await client.send({ ...prod, subscription: 's3' })).toEqual([]);
  });

  it('does not begin 10 000 entries back', async () => {
    const desk = new PushDesk();
    await desk.publish(1);
    const key = { partition: 'demo#state', sort: 'journal-head' };
    const head = await desk.deps.records.get(key);
    const value = { nextIndex: 10_001, at: '2026-01-01T00:00:00.000Z' };
    const put = { kind: 'put', key, value, expect: head?.rev ?? 'absent' } as const;
    await desk.deps.records.commit([put], 'grown');
    const client = await desk.connect();
    expect(await client.send({ ...prod, after: '-1' })).toMatchObject([
      { subscription: 'prod', problem: { code: 'precondition_failed' } },
    ]);
    expect(await client.send({ ...prod, after: '0' })).toEqual([]);
  });

  it('is closed for a flood', async () => {
    const client = await new PushDesk().connect();
    for (let nth = 0; nth < 51; nth++) await client.send({ type: 'ping' });
    expect(client.frames.at(-1)).toEqual({ type: 'closing', reason: 'flood' });
    expect(client.frames).toHaveLength(51);
    expect(client.isOpen).toBe(false);
  });

  it('is told nothing after its token has expired, and closed', async () => {
    const desk = new PushDesk();
    const expiresAtMs = desk.deps.clock.nowMs() + 1000;
    const [silent, speaking] = [
      await desk.connect({ expiresAtMs }),
      await desk.connect({ expiresAtMs }),
    ];
    await silent.send(prod);
    await desk.work();
    desk.deps.clock.set(expiresAtMs);
    await desk.publish();
    await desk.push();
    await speaking.send({ type: 'ping' });
    for (const client of [silent, speaking]) {
      expect(client.frames.at(-1)).toEqual({ type: 'closing', reason: 'expired' });
      expect(client.isOpen).toBe(false);
    }
  });

  it('that we know nothing of is told to come anew', async () => {
    const desk = new PushDesk();
    const client = await desk.connect();
    await desk.gateway.disconnect(client.connection);
    expect(await client.send({ type: 'ping' })).toEqual([{ type: 'closing', reason: 'unknown' }]);
    expect(client.isOpen).toBe(false);
  });

  it('leaves nothing behind when it is closed', async () => {
    const desk = new PushDesk();
    const client = await desk.connect();
    await client.send(prod);
    await desk.work();
    desk.connections.leave(client.connection);
    await desk.gateway.disconnect(client.connection);
    await desk.gateway.disconnect(client.connection);
    expect(await connectionsOf(desk)).toEqual([]);
  });

  it('that left without a word is forgotten with the next change', async () => {
    const desk = new PushDesk();
    const [gone, here] = [await desk.connect(), await desk.connect()];
    await gone.send(prod);
    await here.send(prod);
    await desk.work();
    desk.connections.leave(gone.connection);
    await desk.publish();
    await desk.push();
    expect(here.ids('prod')).toEqual(['0']);
    expect(await connectionsOf(desk)).toEqual([here.connection]);
  });
});

describe('a frame', () => {
  it('whose data is JSON already is the same as one that is made of it', () => {
    const data = { a: ['"', 1, null], é: '\u2028' };
    for (const id of ['12.-1', null]) {
      expect(messageText('a-b', id, JSON.stringify(data))).toBe(
        JSON.stringify({ type: 'message', subscription: 'a-b', id, data }),
      );
    }
  });
});

async function connectionsOf(desk: PushDesk): Promise<string[]> {
  const found: string[] = [];
  for (let shard = 0; shard < 8; shard++) {
    const partition = shardPartition({ tenant: 'demo', shard });
    const records = await desk.deps.records.query({ partition, prefix: 'connection#', limit: 100 });
    found.push(...records.map(({ key }) => key.sort.replace('connection#', '')));
  }
  return found;
}

/** Another connection of the same shard. */
async function sameShard(desk: PushDesk, connection: string) {
  const { shard } = shardOf('demo', connection);
  for (;;) {
    const client = await desk.connect();
    if (shardOf('demo', client.connection).shard === shard) return client;
  }
}
