import { describe, expect, it } from 'vitest';
import { doPushTasks } from '../../../src/core/push/do-push-tasks.ts';
import { pushLog } from '../../../src/core/push/push-log.ts';
import { shardOf } from '../../../src/core/push/push-keys.ts';
import { faultyPoster, faultyPushQueue } from '../../support/faulty-push.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { Life } from '../journal/mortal.ts';
import { type DeskClient, PushDesk } from './push-desk.ts';

const prod = { type: 'subscribe', subscription: 'prod', topic: 'policies' } as const;

/**
 * A client that breaks off at any moment, and goes on after the latest position that it got, misses
 * nothing: it has had all before that.
 */
function expectNoGap(client: DeskClient, first: number): void {
  const had = new Set<number>();
  let reached = first - 1;
  for (const id of client.ids('prod')) {
    const index = Number(id);
    had.add(index);
    while (had.has(reached + 1)) reached += 1;
    expect(index, client.ids('prod').join()).toBeLessThanOrEqual(reached);
  }
}

function expectAll(client: DeskClient, first: number, last: number): void {
  expectNoGap(client, first);
  const wanted = Array.from({ length: last - first + 1 }, (_, nth) => String(first + nth));
  expect(new Set(client.ids('prod'))).toEqual(new Set(wanted));
}

/** One that listens, and one that has yet to catch up. */
async function listening() {
  const desk = new PushDesk();
  await desk.publish(4);
  const live = await desk.connect();
  await live.send(prod);
  await desk.push();
  await desk.publish(3);
  const joining = await desk.connect();
  await joining.send({ ...prod, after: '1' });
  return { desk, live, joining };
}

/** The same as another process would have it, which dies at its `diesAt`th call. */
function mortal(desk: PushDesk, diesAt: number, moment: 'before' | 'after') {
  const life = new Life(diesAt, moment);
  const { records, poster, pushQueue } = desk.deps;
  const deps = {
    ...desk.deps,
    records: life.during(records, 'get', 'getMany', 'query', 'commit'),
    poster: life.during(poster, 'post', 'close'),
    pushQueue: life.during(pushQueue, 'send'),
  };
  return { life, deps };
}

describe('pushing, with a process that dies', () => {
  it.each(['before', 'after'] as const)('repeats and never skips, %s any call', async (moment) => {
    for (let diesAt = 1; ; diesAt++) {
      const { desk, live, joining } = await listening();
      const { life, deps } = mortal(desk, diesAt, moment);
      await desk.relay(deps).catch(() => undefined);
      const taken = desk.queue.take();
      desk.queue.settle(taken, await doPushTasks(deps, taken));
      for (const client of [live, joining]) expectNoGap(client, client === live ? 4 : 2);
      await desk.publish(2);
      await desk.push();
      expectAll(live, 4, 8);
      expectAll(joining, 2, 8);
      if (life.calls < diesAt) {
        expect(diesAt).toBeGreaterThan(20);
        return;
      }
    }
  });
});

describe('pushing, under faults', () => {
  const faults = ['not-written', 'written-but-failed'] as const;

  it.each(faults)('repeats and never skips, any call of the store %s', async (fault) => {
    for (let failsAt = 1; ; failsAt++) {
      const { desk, live, joining } = await listening();
      let calls = 0;
      const records = faultyRecords(desk.deps.records, () =>
        ++calls === failsAt ? fault : undefined,
      );
      const deps = { ...desk.deps, records };
      await desk.relay(deps).catch(() => undefined);
      await desk.work(deps);
      await desk.publish(2);
      await desk.push();
      expectAll(live, 4, 8);
      expectAll(joining, 2, 8);
      if (calls < failsAt) return expect(failsAt).toBeGreaterThan(15);
    }
  });

  it.each(faults)('repeats and never skips, any send %s', async (fault) => {
    const { desk, live, joining } = await listening();
    const pushQueue = faultyPushQueue(desk.deps.pushQueue, { send: [fault] });
    await expect(desk.relay({ ...desk.deps, pushQueue })).rejects.toThrow('injected');
    await desk.push();
    expectAll(live, 4, 6);
    expectAll(joining, 2, 6);
  });

  it.each(faults)('tries a post again that was %s', async (fault) => {
    const { desk, live, joining } = await listening();
    const poster = faultyPoster(desk.connections, { post: [fault, fault, 'none', fault] });
    await desk.relay();
    await desk.work({ ...desk.deps, poster });
    expectAll(live, 4, 6);
    expectAll(joining, 2, 6);
    expect([live.isOpen, joining.isOpen]).toEqual([true, true]);
  });

  it('closes a connection that takes nothing, tells the others, and misses nothing', async () => {
    const { desk, live, joining } = await listening();
    const dead = live.connection;
    const poster = faultyPoster(desk.connections, ({ method, args, nth }): Fault | undefined =>
      method === 'post' && args[0] === dead && nth > 2 ? 'not-written' : undefined,
    );
    await desk.relay();
    await desk.work({ ...desk.deps, poster });
    expectNoGap(live, 4);
    expect(live.isOpen).toBe(false);
    expectAll(joining, 2, 6);
    const again = await desk.connect();
    await again.send({ ...prod, after: live.position('prod') });
    await desk.push();
    expectAll(again, Number(live.position('prod')) + 1, 6);
  });

  it('tells a connection nothing more that it could not close', async () => {
    const { desk, live } = await listening();
    const poster = faultyPoster(desk.connections, ({ args }): Fault | undefined =>
      args[0] === live.connection ? 'not-written' : undefined,
    );
    await desk.relay();
    await desk.work({ ...desk.deps, poster });
    expect(live.isOpen).toBe(true);
    await desk.publish();
    await desk.push();
    expect(live.ids('prod')).toEqual([]);
    // It finds out with its next word.
    expect((await live.send({ type: 'ping' })).at(-1)).toMatchObject({ reason: 'unknown' });
  });

  it('goes on with what is behind a task that was lost', async () => {
    const { desk, live } = await listening();
    await desk.relay();
    const lost = desk.queue.take();
    desk.queue.settle(lost);
    await desk.publish();
    await desk.push();
    expectAll(live, 4, 7);
  });

  it('has no gap when two push to one shard at once', async () => {
    for (let pause = 1; pause < 12; pause++) {
      const { desk, live } = await listening();
      const ref = shardOf('demo', live.connection);
      const other = async () => {
        await pushLog(desk.deps, ref, 'main');
        await desk.publish(2);
        await pushLog(desk.deps, ref, 'main');
      };
      let calls = 0;
      const poster = interceptMethods(desk.connections, { post: 0 }, async (_, __, call) => {
        calls += 1;
        if (calls === pause) await other();
        return call();
      });
      await pushLog({ ...desk.deps, poster }, ref, 'main');
      await desk.publish();
      await desk.push();
      expect(calls).toBeGreaterThanOrEqual(Math.min(pause, 3));
      expectAll(live, 4, calls < pause ? 7 : 9);
    }
  });
});
