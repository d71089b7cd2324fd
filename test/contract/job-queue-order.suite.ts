import { expect, it } from 'vitest';

import type { JobPriority } from '../../src/core/jobs/job-record.ts';
import { numbered, type JobQueueSuite, type JobQueueSuiteOptions } from './job-queue-suite.ts';

export function describeJobOrder(suite: JobQueueSuite, { exactOrder }: JobQueueSuiteOptions): void {
  /** As they came, where order is exact. */
  const inOrder = (ids: readonly string[]): readonly string[] =>
    exactOrder ? ids : ids.toSorted();

  it('hands out what was sent, and nothing else', async () => {
    await suite.queue.send([suite.job('1', { tenant: 'x-1', priority: 'low' })]);
    const turns = await suite.receive();
    expect(turns).toEqual([
      { tenant: 'x-1', type: 'type.a', id: '1', receipt: expect.any(String) },
    ]);
    expect(await suite.receive()).toEqual([]);
  });

  it('hands out high before normal before low', async () => {
    const sent: readonly JobPriority[] = ['low', 'normal', 'high', 'low', 'high', 'normal'];
    const jobs = sent.map((priority, i) => suite.job(`${priority}-${i}`, { priority }));
    for (const job of jobs) await suite.queue.send([job]);
    const ids = await suite.drain(1);
    const priorities = ids.map((id) => id.replace(/-\d/, ''));
    expect(priorities).toEqual(['high', 'high', 'normal', 'normal', 'low', 'low']);
  });

  it('hands out high before low in one receive, whoever sent it', async () => {
    const low = numbered('low', 8).map((id) => suite.job(id, { priority: 'low' }));
    await suite.queue.send(low);
    await suite.queue.send([suite.job('high', { priority: 'high', tenant: 'other' })]);
    await suite.queue.send([suite.job('normal')]);
    const ids = await suite.ids({ max: 3 });
    expect(ids.slice(0, 2)).toEqual(['high', 'normal']);
    expect(ids).toHaveLength(3);
  });

  it('hands out the jobs of one tenant first come, first served', async () => {
    const ids = numbered('j', 25);
    for (let i = 0; i < ids.length; i += 5) await suite.send(...ids.slice(i, i + 5));
    expect(inOrder(await suite.drain(10))).toEqual(ids);
  });

  it.each([1, 3, 10])('lets tenants take turns, %i at a time', async (max) => {
    const flood = numbered('flood', 60);
    await suite.send(...flood);
    const others = ['a', 'z'].flatMap((tenant) =>
      numbered(`${tenant}-`, 3).map((id) => suite.job(id, { tenant })),
    );
    await suite.queue.send(others);
    const ids = await suite.drain(max);
    expect(ids.toSorted()).toEqual([...others.map(({ id }) => id), ...flood].toSorted());
    if (exactOrder) {
      // Three tenants: whoever has a job has at least every third turn.
      const last = Math.max(...others.map(({ id }) => ids.indexOf(id)));
      expect(last).toBeLessThan(9);
    }
  });

  it('goes on with the next tenant where it stopped', async () => {
    const tenants = ['a', 'b', 'c', 'd'];
    const jobs = tenants.flatMap((tenant) =>
      [1, 2].map((n) => suite.job(`${tenant}${n}`, { tenant })),
    );
    await suite.queue.send(jobs);
    const rounds = [await suite.ids({ max: 3 }), await suite.ids({ max: 5 })];
    expect(rounds.flat().toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    if (exactOrder) {
      expect(rounds).toEqual([
        ['a1', 'b1', 'c1'],
        ['d1', 'a2', 'b2', 'c2', 'd2'],
      ]);
    }
  });

  it('keeps types apart', async () => {
    await suite.queue.send([suite.job('a'), suite.job('b', { type: 'type.b' })]);
    expect(await suite.ids({}, 'type.b')).toEqual(['b']);
    expect(await suite.ids({}, 'type.b')).toEqual([]);
    expect(await suite.ids()).toEqual(['a']);
  });

  it('keeps jobs of the same id of two tenants apart', async () => {
    const jobs = ['a', 'b'].map((tenant) => suite.job('1', { tenant }));
    await suite.queue.send(jobs);
    const turns = await suite.receive();
    expect(turns.map(({ tenant }) => tenant).toSorted()).toEqual(['a', 'b']);
    for (const turn of turns) if (turn.tenant === 'a') await suite.queue.remove(turn);
    const other = turns.find(({ tenant }) => tenant === 'b');
    expect(await suite.queue.hide(other!, 0)).toBe('hidden');
    expect((await suite.receive()).map(({ tenant }) => tenant)).toEqual(['b']);
  });
}
