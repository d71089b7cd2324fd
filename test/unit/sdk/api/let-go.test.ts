import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { abortable } from '../../../../sdk/src/api/abortable.ts';
import { createApi } from '../../../../sdk/src/api/api.ts';
import { Deadline } from '../../../../sdk/src/api/deadline.ts';
import { openEvents } from '../../../../sdk/src/api/event-connection.ts';
import { Alarm } from '../../../../sdk/src/policies/alarm.ts';
import { ExpectedChanges } from '../../../../sdk/src/policies/expected-changes.ts';
import { FakePolicies } from '../../../support/fake-policies.ts';
import { settle, stopTime } from '../../../support/fake-time.ts';

// What lives as long as a process must not be given more and more to hold.
let life: AbortController;
const listeners = () => getEventListeners(life.signal, 'abort').length;
beforeEach(() => {
  life = new AbortController();
  stopTime();
});
afterEach(() => vi.useRealTimers());

describe('a deadline', () => {
  it('lets go of its timer and of the other signal', () => {
    const deadline = new Deadline(1000, life.signal);
    expect([listeners(), vi.getTimerCount()]).toEqual([1, 1]);
    deadline.end();
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
    vi.advanceTimersByTime(2000);
    expect([deadline.signal.aborted, deadline.isOver]).toEqual([false, false]);
  });

  it('aborts after its time, which may begin anew', () => {
    const deadline = new Deadline(1000, life.signal);
    vi.advanceTimersByTime(900);
    deadline.restart();
    vi.advanceTimersByTime(900);
    expect(deadline.isOver).toBe(false);
    vi.advanceTimersByTime(100);
    expect([deadline.signal.aborted, deadline.isOver]).toEqual([true, true]);
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('aborts with the other signal, for its reason, also when that came first', () => {
    const deadline = new Deadline(1000, life.signal);
    life.abort('over');
    const late = new Deadline(1000, life.signal);
    expect([deadline.signal.reason, late.signal.reason]).toEqual(['over', 'over']);
    expect([deadline.isOver, listeners(), vi.getTimerCount()]).toEqual([false, 0, 0]);
  });
});

describe('a call', () => {
  it('leaves nothing at the signal of its caller, however it ends', async () => {
    const { fetch, baseUrl } = new FakePolicies();
    const api = createApi({ baseUrl, fetch });
    await api.send({ path: '/api/manifest', signal: life.signal });
    await expect(api.send({ path: '/no', signal: life.signal })).rejects.toThrow('not_found');
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('nor does a stream', async () => {
    const service = new FakePolicies();
    const api = createApi(service);
    const path = '/api/stream/policies';
    const connection = await openEvents(api, { path, signal: life.signal }, undefined);
    const messages = connection!.read({ id: undefined, retryMs: 0 });
    await messages.next();
    expect(service.streams.size).toBe(1);
    connection!.close();
    await settle();
    expect([listeners(), vi.getTimerCount(), service.streams.size]).toEqual([0, 0, 0]);
  });

  it('nor who waits for something else with it', async () => {
    expect(await abortable(Promise.resolve(7), life.signal)).toBe(7);
    await expect(abortable(Promise.reject(new Error('no')), life.signal)).rejects.toThrow('no');
    expect(listeners()).toBe(0);
  });
});

describe('an alarm', () => {
  it.each(['rings', 'fires', 'is given up'])('leaves nothing behind when it %s', async (how) => {
    const alarm = new Alarm(true);
    const waiting = alarm.wait(1000, life.signal);
    expect([listeners(), vi.getTimerCount()]).toEqual([1, 1]);
    if (how === 'rings') alarm.ring();
    else if (how === 'fires') vi.advanceTimersByTime(1000);
    else life.abort();
    await waiting;
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('without an end has no timer', async () => {
    const alarm = new Alarm(true);
    const waiting = alarm.wait(Infinity, life.signal);
    expect(vi.getTimerCount()).toBe(0);
    alarm.ring();
    await waiting;
  });
});

describe('changes that are expected', () => {
  it('are forgotten when they are here, or after 10 s, and never more than 100', () => {
    const gens: Record<string, number> = { a: 1 };
    const expected = new ExpectedChanges((id) => gens[id] ?? 0);
    expect(expected.expect('a', 1)).toBe(false);
    expect(expected.expect('a', 2)).toBe(true);
    expect(expected.isBehind).toBe(true);
    gens['a'] = 2;
    expect(expected.isBehind).toBe(false);
    for (let n = 0; n < 150; n++) expect(expected.expect(`p-${n}`, 1)).toBe(true);
    for (let n = 0; n < 100; n++) gens[`p-${n}`] = 1;
    expect(expected.isBehind).toBe(false);
    expected.expect('b', 9);
    vi.advanceTimersByTime(9999);
    expect(expected.isBehind).toBe(true);
    vi.advanceTimersByTime(1);
    expect(expected.isBehind).toBe(false);
  });
});
