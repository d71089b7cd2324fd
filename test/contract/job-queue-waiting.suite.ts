import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';

import type { JobQueueSuite } from './job-queue-suite.ts';

const minute = 60_000;

export function describeWaitingForJobs(suite: JobQueueSuite): void {
  const watch = <T>(promise: Promise<T>): { done: boolean } => {
    const state = { done: false };
    void promise.then(() => (state.done = true));
    return state;
  };

  it('resolves with none after its time', async () => {
    const waiting = suite.receive({ waitMs: 3000 });
    const state = watch(waiting);
    await suite.pass(1500);
    expect(state.done).toBe(false);
    const [turns] = await Promise.all([waiting, suite.pass(2500)]);
    expect(turns).toEqual([]);
  });

  it('resolves at once when there is one', async () => {
    await suite.send('1');
    const begunMs = suite.nowMs();
    expect(await suite.ids({ waitMs: 20_000 })).toEqual(['1']);
    expect(suite.nowMs() - begunMs).toBeLessThan(5000);
  });

  it.each(['high', 'normal', 'low'] as const)('wakes when a %s job is sent', async (priority) => {
    const waiting = suite.ids({ waitMs: 20_000 });
    await suite.pass(300);
    const begunMs = suite.nowMs();
    await suite.queue.send([suite.job('1', { priority })]);
    expect(await waiting).toEqual(['1']);
    expect(suite.nowMs() - begunMs).toBeLessThan(5000);
  });

  it('wakes for its type alone', async () => {
    const a = suite.ids({ waitMs: 2000 });
    const b = suite.ids({ waitMs: 20_000 }, 'type.b');
    await suite.pass(100);
    await suite.queue.send([suite.job('b', { type: 'type.b' })]);
    expect(await b).toEqual(['b']);
    const [ids] = await Promise.all([a, suite.pass(3500)]);
    expect(ids).toEqual([]);
  });

  it('wakes when the time of a job has come', async () => {
    await suite.queue.send([suite.job('1', { notBeforeMs: suite.nowMs() + 2000 })]);
    const waiting = suite.ids({ waitMs: 20_000 });
    const state = watch(waiting);
    await suite.pass(1000);
    expect(state.done).toBe(false);
    const [ids] = await Promise.all([waiting, suite.pass(2500)]);
    expect(ids).toEqual(['1']);
  });

  it('wakes when a turn runs out, also when it was shortened while it waits', async () => {
    await suite.send('1', '2');
    const [one, two] = await suite.receive({ hideMs: minute });
    const waiting = suite.ids({ waitMs: 20_000, hideMs: minute });
    expect(await suite.queue.hide(one!, 1000)).toBe('hidden');
    const [ids] = await Promise.all([waiting, suite.pass(2500)]);
    expect(ids).toEqual([one!.id]);
    const next = suite.ids({ waitMs: 20_000, max: 1 });
    await suite.pass(100);
    expect(await suite.queue.hide(two!, 0)).toBe('hidden');
    expect(await next).toEqual([two!.id]);
  });

  it('serves several who wait, each with turns of its own', async () => {
    const waiting = [1, 1, 1].map((max) => suite.ids({ waitMs: 20_000, max }));
    await suite.pass(100);
    await suite.send('1');
    await suite.send('2', '3');
    expect((await Promise.all(waiting)).flat().toSorted()).toEqual(['1', '2', '3']);
    expect(await suite.receive()).toEqual([]);
  });

  it('lets go when the signal aborts, without a rejection or a turn that is lost', async () => {
    const leaving = new AbortController();
    const waiting = suite.receive({ waitMs: 20_000, signal: leaving.signal });
    await suite.pass(100);
    leaving.abort(new Error('no reason'));
    expect(await waiting).toEqual([]);
    // A queue elsewhere may still answer who has left, for a moment.
    await suite.pass(1100);
    await suite.send('1');
    expect(await suite.ids()).toEqual(['1']);
  });

  it('answers nothing to a signal that has aborted', async () => {
    await suite.send('1');
    expect(await suite.receive({ waitMs: 20_000, signal: AbortSignal.abort() })).toEqual([]);
    expect(await suite.ids()).toEqual(['1']);
  });

  it('leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    await Promise.all([suite.receive({ waitMs: 1000, signal }), suite.pass(1000)]);
    const waiting = suite.receive({ waitMs: 20_000, signal });
    await suite.send('1');
    expect(await waiting).toHaveLength(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
}
