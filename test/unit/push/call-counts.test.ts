import { beforeEach, describe, expect, it } from 'vitest';
import { relayJournal } from '../../../src/core/journal/relay-journal.ts';
import { eventsOf } from '../../../src/core/events-of.ts';
import { doPushTasks } from '../../../src/core/push/do-push-tasks.ts';
import type { PushDeps } from '../../../src/core/push/push-deps.ts';
import { tellShards } from '../../../src/core/push/push-interest.ts';
import { shardOf } from '../../../src/core/push/push-keys.ts';
import { gatewayFrames } from '../../../src/http/websocket/gateway-frames.ts';
import { countCalls } from '../../support/count-calls.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { PushDesk } from './push-desk.ts';

const prod = { type: 'subscribe', subscription: 'prod', topic: 'policies' } as const;

/** What one push costs on AWS: each call of a port is one of AWS, a send of up to ten tasks as well. */
describe('calls', () => {
  let desk: PushDesk;
  let counted: ReturnType<typeof counting>;
  beforeEach(() => {
    desk = new PushDesk();
    counted = counting(desk.deps);
  });

  const none = { get: 0, getMany: 0, query: 0, commit: 0, post: 0, close: 0, send: 0 };

  it('of a relay whose tenant has no connections: one read more', async () => {
    await desk.publish();
    const { records, calls } = countedRecords(desk);
    await relayJournal({ ...desk.deps, records, eventsOf }, 'demo');
    const before = { ...calls() };
    await desk.publish();
    const after = countedRecords(desk);
    const wake = tellShards({ ...desk.deps, records: after.records });
    await relayJournal({ ...desk.deps, records: after.records, eventsOf, wake }, 'demo');
    expect(after.calls()).toEqual({ ...before, get: before.get + 1 });
  });

  it('of a change that some connections of one shard are told of', async () => {
    const clients = await oneShard(desk, 5);
    for (const client of clients) await client.send(prod);
    await desk.work();
    await desk.publish();
    await tellShards(counted.deps)('demo', 0);
    expect(counted.calls()).toEqual({ ...none, get: 1, send: 1 });
    counted.reset();
    expect(await doPushTasks(counted.deps, desk.queue.take())).toEqual([]);
    // The cursor and its move, the entries, the connections.
    expect(counted.calls()).toEqual({ ...none, get: 1, query: 2, commit: 1, post: 5 });
    for (const client of clients) expect(client.ids('prod')).toEqual(['0']);
  });

  it('of many changes at once: no more reads', async () => {
    const [client] = await oneShard(desk, 1);
    await client?.send(prod);
    await desk.work();
    await desk.publish(20);
    await tellShards(counted.deps)('demo', 19);
    counted.reset();
    await doPushTasks(counted.deps, desk.queue.take());
    expect(counted.calls()).toEqual({ ...none, get: 1, query: 2, commit: 1, post: 20 });
  });

  it('of a frame', async () => {
    const [client] = await oneShard(desk, 1);
    const gateway = gatewayFrames(counted.deps);
    const cost = async (frame: object) => {
      counted.reset();
      await gateway.message(client?.connection ?? '', JSON.stringify(frame));
      return counted.calls();
    };
    // Whose it is, and the connection.
    expect(await cost({ type: 'hello' })).toEqual({ ...none, get: 2, post: 1 });
    // Again the connection to change it, and the interest; the length of the journal.
    expect(await cost(prod)).toEqual({ ...none, get: 4, getMany: 1, commit: 2, send: 1 });
    counted.reset();
    await doPushTasks(counted.deps, desk.queue.take());
    // The length and the cursor, which begins here; the connection, twice.
    expect(counted.calls()).toEqual({ ...none, get: 2, getMany: 2, commit: 2, post: 1 });
    expect(await cost({ type: 'ping' })).toEqual({ ...none, get: 2, getMany: 1, post: 1 });
  });
});

function countedRecords(desk: PushDesk) {
  const { port: records, calls } = countingRecords(desk.deps.records);
  return { records, calls: () => calls };
}

function counting(given: PushDesk['deps']) {
  const records = countingRecords(given.records);
  const poster = countCalls(given.poster, { post: 0, close: 0 });
  const queue = countCalls(given.pushQueue, { send: 0 });
  const deps: PushDeps = {
    ...given,
    records: records.port,
    poster: poster.port,
    pushQueue: queue.port,
  };
  return {
    deps,
    calls: () => ({ ...records.calls, ...poster.calls, ...queue.calls }),
    reset: () => {
      for (const each of [records, poster, queue]) each.reset();
    },
  };
}

/** Connections that are all of one shard. */
async function oneShard(desk: PushDesk, count: number) {
  const clients = [await desk.connect()];
  const shard = (connection = '') => shardOf('demo', connection).shard;
  while (clients.length < count) {
    const client = await desk.connect();
    if (shard(client.connection) === shard(clients[0]?.connection)) clients.push(client);
  }
  return clients;
}
