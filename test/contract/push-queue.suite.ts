import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PushQueue, PushTask } from '../../src/ports/push-queue.ts';
import { expectDefect } from '../support/expect-defect.ts';

export interface PushQueueFixture {
  readonly queue: PushQueue;
  /** What is handed out now, up to ten tasks, or nothing after a while. */
  readonly take: () => Promise<readonly PushTask[]>;
  /** Says that all that was taken is done. */
  readonly done: () => Promise<void>;
  readonly close?: () => Promise<void> | void;
}

/** What every PushQueue must do. */
export function describePushQueue(name: string, make: () => Promise<PushQueueFixture>): void {
  describe(`PushQueue: ${name}`, () => {
    let fixture: PushQueueFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(async () => await fixture.close?.());

    const grown = (shard: number, change: object = {}): PushTask => ({
      tenant: 'demo',
      shard,
      id: `main/${randomUUID()}`,
      kind: 'grown',
      log: 'main',
      ...change,
    });
    const joined: PushTask = {
      tenant: 'a-2',
      shard: 99,
      id: 'a/B-1',
      kind: 'joined',
      connection: 'aZ0+/=_-@connection=',
      subscription: 'my_prod-1',
    };
    /** All that comes, each done as soon as it is taken. */
    const drained = async (count: number): Promise<PushTask[]> => {
      const all: PushTask[] = [];
      for (let round = 0; all.length < count && round < 50; round++) {
        all.push(...(await fixture.take()));
        await fixture.done();
      }
      return all;
    };

    it('hands out what was sent, as it was sent', async () => {
      const tasks = [grown(0), joined, grown(7, { tenant: 'other', log: 'jobs-15' })];
      await fixture.queue.send(tasks);
      const byShard = (a: PushTask, b: PushTask) => a.shard - b.shard;
      expect((await drained(3)).toSorted(byShard)).toEqual(tasks.toSorted(byShard));
    });

    it('keeps the order of calls within a shard', async () => {
      const sent: PushTask[] = [];
      for (let nth = 0; nth < 8; nth++) {
        const tasks = [grown(1), grown(2)];
        await fixture.queue.send(tasks);
        sent.push(...tasks);
      }
      const taken = await drained(16);
      for (const shard of [1, 2]) {
        const of = (tasks: readonly PushTask[]) => tasks.filter((task) => task.shard === shard);
        expect(of(taken)).toEqual(of(sent));
      }
    });

    it('hands out nothing of a shard while something of it is under way, and of others it does', async () => {
      const [first, second, other] = [grown(1), grown(1), grown(2)];
      await fixture.queue.send([first]);
      expect(await fixture.take()).toEqual([first]);
      await fixture.queue.send([second]);
      await fixture.queue.send([other]);
      expect(await fixture.take()).toEqual([other]);
      expect(await fixture.take()).toEqual([]);
      await fixture.done();
      expect(await drained(1)).toEqual([second]);
    });

    it('keeps tasks with the same id apart when they are of different shards', async () => {
      const tasks = [grown(1, { id: 'main/5' }), grown(2, { id: 'main/5' })];
      await fixture.queue.send(tasks);
      expect(new Set((await drained(2)).map(({ shard }) => shard))).toEqual(new Set([1, 2]));
    });

    it('hands out one at least of those with the same id', async () => {
      const task = grown(3);
      await fixture.queue.send([task]);
      await fixture.queue.send([task]);
      expect((await drained(1))[0]).toEqual(task);
    });

    it('takes 100 tasks in one call', async () => {
      const tasks = Array.from({ length: 100 }, (_, shard) => grown(shard));
      await fixture.queue.send(tasks);
      const shards = (await drained(100)).map(({ shard }) => shard);
      expect(shards.sort((a, b) => a - b)).toEqual(tasks.map(({ shard }) => shard));
    });

    it.each([
      ['none', []],
      ['101', Array.from({ length: 101 }, (_, shard) => grown(shard % 8))],
      ['a tenant that is none', [grown(1, { tenant: 'a/b' })]],
      ['a shard that is none', [grown(100)]],
      ['half a shard', [grown(0.5)]],
      ['an id that is too long', [grown(1, { id: 'x'.repeat(101) })]],
      ['no log', [grown(1, { log: '' })]],
      ['more than a task has', [grown(1, { more: 1 })]],
      ['a kind that it does not know', [grown(1, { kind: 'left' })]],
      ['a connection with a blank', [{ ...joined, connection: 'a b' }]],
    ])('refuses %s, and sends nothing', async (_, tasks) => {
      await expectDefect(() => fixture.queue.send(tasks));
      const task = grown(5);
      await fixture.queue.send([task]);
      expect(await drained(1)).toEqual([task]);
    });
  });
}
