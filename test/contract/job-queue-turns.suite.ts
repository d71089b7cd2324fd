import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';

import { numbered, type JobQueueSuite, type JobQueueSuiteOptions } from './job-queue-suite.ts';

const minute = 60_000;

export function describeJobTurns(
  suite: JobQueueSuite,
  { knowsRepeats }: JobQueueSuiteOptions,
): void {
  it('hands out a job not before its time', async () => {
    await suite.queue.send([
      suite.job('later', { notBeforeMs: suite.nowMs() + 2000 }),
      suite.job('now', { priority: 'low' }),
    ]);
    expect(await suite.ids()).toEqual(['now']);
    await suite.pass(1000);
    expect(await suite.ids()).toEqual([]);
    await suite.pass(2000);
    expect(await suite.ids()).toEqual(['later']);
  });

  it('hands out a job again when its turn has run out, with another receipt', async () => {
    await suite.send('1');
    const first = await suite.turn({ hideMs: 2000 });
    await suite.pass(1000);
    expect(await suite.ids()).toEqual([]);
    await suite.pass(1500);
    const second = await suite.turn();
    expect(second).toEqual({ ...first, receipt: expect.any(String) });
    expect(second.receipt).not.toBe(first.receipt);
  });

  it('hides a job for longer', async () => {
    await suite.send('1');
    const turn = await suite.turn({ hideMs: 1000 });
    expect(await suite.queue.hide(turn, 4000)).toBe('hidden');
    await suite.pass(2500);
    expect(await suite.ids()).toEqual([]);
    await suite.pass(2500);
    expect(await suite.ids()).toEqual(['1']);
  });

  it('hides a job for less long, and hands it back at once for 0', async () => {
    await suite.send('1', '2');
    const [one, two] = await suite.receive();
    expect(await suite.queue.hide(one!, 0)).toBe('hidden');
    expect(await suite.ids()).toEqual([one!.id]);
    expect(await suite.queue.hide(two!, 2000)).toBe('hidden');
    expect(await suite.ids()).toEqual([]);
    await suite.pass(2500);
    expect(await suite.ids()).toEqual([two!.id]);
  });

  it('hides a job again and again within one turn', async () => {
    await suite.send('1');
    const turn = await suite.turn({ hideMs: 2000 });
    for (let i = 0; i < 3; i++) {
      await suite.pass(1000);
      expect(await suite.queue.hide(turn, 2000)).toBe('hidden');
      expect(await suite.ids()).toEqual([]);
    }
  });

  it('says gone for a turn that ran out and is another’s, and leaves that alone', async () => {
    await suite.send('1');
    const old = await suite.turn({ hideMs: 1000 });
    await suite.pass(1500);
    const current = await suite.turn({ hideMs: minute });
    expect(await suite.queue.hide(old, 0)).toBe('gone');
    expect(await suite.ids()).toEqual([]);
    expect(await suite.queue.hide(current, 0)).toBe('hidden');
    expect(await suite.ids()).toEqual(['1']);
  });

  it('says gone for a turn that was removed', async () => {
    await suite.send('1', '2');
    const turns = await suite.receive();
    await suite.queue.remove(turns[0]!);
    expect(await suite.queue.hide(turns[0]!, 0)).toBe('gone');
    expect(await suite.queue.hide(turns[1]!, 1000)).toBe('hidden');
  });

  it('says gone for a receipt that is none, and removes nothing by it', async () => {
    await suite.send('1');
    const turn = await suite.turn();
    for (const receipt of ['', '1', 'x/y', `${turn.receipt}1`, randomUUID()]) {
      expect(await suite.queue.hide({ ...turn, receipt }, 0)).toBe('gone');
      await suite.queue.remove({ ...turn, receipt });
    }
    expect(await suite.ids()).toEqual([]);
    expect(await suite.queue.hide(turn, 0)).toBe('hidden');
    expect(await suite.ids()).toEqual(['1']);
  });

  it('removes a job for good', async () => {
    await suite.send('1');
    const turn = await suite.turn({ hideMs: 1000 });
    await suite.queue.remove(turn);
    await suite.queue.remove(turn);
    await suite.pass(1500);
    expect(await suite.receive()).toEqual([]);
  });

  it('removes without an error after the turn ran out, and not from another’s turn', async () => {
    await suite.send('1');
    const old = await suite.turn({ hideMs: 1000 });
    await suite.pass(1500);
    await suite.queue.remove(await suite.turn({ hideMs: 1000 }));
    await suite.send('1');
    const current = await suite.turn();
    await suite.queue.remove(old);
    expect(await suite.queue.hide(current, 0)).toBe('hidden');
    expect(await suite.ids()).toEqual(['1']);
  });

  it('hands out a job that was sent twice once or twice', async () => {
    await suite.queue.send([suite.job('1'), suite.job('2'), suite.job('1')]);
    await suite.send('1');
    const ids = await suite.drain(10);
    if (knowsRepeats) expect(ids.toSorted()).toEqual(['1', '2']);
    else expect(new Set(ids)).toEqual(new Set(['1', '2']));
  });

  it('gives a job that is sent during its turn another after that', async () => {
    await suite.send('1');
    const first = await suite.turn();
    await suite.send('1');
    const second = await suite.turn();
    await suite.queue.remove(first);
    expect(await suite.queue.hide(second, 0)).toBe('hidden');
    await suite.queue.remove(await suite.turn());
    expect(await suite.receive()).toEqual([]);
  });

  it('takes a job again that was removed', async () => {
    for (let i = 0; i < 3; i++) {
      await suite.send('1');
      await suite.queue.remove(await suite.turn());
    }
    expect(await suite.receive()).toEqual([]);
  });

  it('shares 100 jobs among four receivers, each with one', async () => {
    const ids = numbered('j', 100);
    await suite.queue.send(ids.map((id, i) => suite.job(id, { tenant: `t${i % 7}` })));
    const drained = await Promise.all([10, 3, 1, 7].map((max) => suite.drain(max)));
    expect(drained.flat().toSorted()).toEqual(ids);
  });
}
