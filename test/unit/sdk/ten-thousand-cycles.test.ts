import { getEventListeners } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { FakePolicies, problem } from '../../support/fake-policies.ts';
import { pass, stopTime } from '../../support/fake-time.ts';
import { testClient } from '../../support/sdk-clients.ts';

const cycles = 10_000;

afterEach(() => vi.useRealTimers());

it('10 000 polls, half of them in vain, leave nothing behind', async () => {
  const service = new FakePolicies();
  for (const id of ['a', 'b', 'c']) service.publish(id, { n: 0 });
  stopTime();
  const closing = new AbortController();
  const { signal } = closing;
  const policies = testClient(service, { push: 'sse', receipts: true, pollMs: 1000, signal });
  await policies.ready();
  policies.onChange(() => undefined);

  const requests = { open: 0, most: 0, polls: 0 };
  let published = 0;
  const troubles: (() => Response | undefined)[] = [
    () => problem(500, 'internal'),
    () => undefined,
    () => new Response('{"half'),
    () => {
      if (requests.polls % 36 === 4) service.publish('a', { n: ++published });
      return undefined;
    },
    () => {
      throw new TypeError('fetch failed');
    },
    () => undefined,
  ];

  service.lie = async (call) => {
    requests.most = Math.max(requests.most, ++requests.open);
    try {
      if (call.name.includes('/stream')) return problem(503, 'unavailable');
      if (!call.name.includes('/manifest')) return service.answer(call);
      return troubles[requests.polls++ % troubles.length]?.() ?? service.answer(call);
    } finally {
      requests.open -= 1;
    }
  };

  /** From one timer to the next, with a rest in between, until there were so many polls. */
  async function runUntil(wanted: number) {
    while (requests.polls < wanted) {
      vi.advanceTimersToNextTimer();
      do await new Promise((resolve) => setImmediate(resolve));
      while (requests.open > 0);
      service.calls.length = 0;
      service.reports.length = 0;
    }
    await pass(5000);
    return {
      timers: vi.getTimerCount(),
      listeners: getEventListeners(signal, 'abort').length,
      streams: service.streams.size,
      receipts: policies.status().receipts?.waiting,
    };
  }
  const early = await runUntil(100);
  const late = await runUntil(cycles);
  expect(late.timers).toBeLessThanOrEqual(5);
  expect(late).toEqual({ ...early, timers: late.timers });
  expect(late).toMatchObject({ listeners: 1, streams: 0, receipts: 0 });
  expect(requests.open).toBe(0);
  expect(requests.most).toBeLessThanOrEqual(11);
  expect(published).toBeGreaterThan(200);
  service.lie = () => undefined;
  await pass(40_000);
  expect(policies.getSync('a')).toMatchObject({ n: published });
  expect(policies.status()).toMatchObject({ complete: true, stale: false, push: 'up' });

  await policies.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
