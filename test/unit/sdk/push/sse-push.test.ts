import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime, until } from '../../../support/fake-time.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';

let service: FakePolicies;
let policies: TestClient;
beforeEach(() => {
  service = new FakePolicies();
  service.publish('pm25', { limit: 35 });
  stopTime();
});
afterEach(() => vi.useRealTimers());

async function connected(options = {}): Promise<void> {
  policies = testClient(service, { push: 'sse', ...options });
  await policies.ready();
  await until(() => policies.status().push === 'up');
  // The poll that closes the gap before the stream.
  await pass(200);
}

const limit = () => policies.getSync<{ limit: number }>('pm25').limit;
const stream = () => [...service.streams][0]!;
const isStream = ({ name }: { readonly name: string }) => name.includes('/stream/');

describe('a pushed message', () => {
  it('makes the client ask, and is not believed by itself', async () => {
    await connected();
    const before = service.polls;
    service.push('pm25', { gen: 2, snapshot: 'v-forged' });
    await settle();
    expect(service.polls).toBe(before + 1);
    expect(limit()).toBe(35);
    service.publish('pm25', { limit: 25 });
    service.push('pm25');
    await pass(500);
    expect(limit()).toBe(25);
  });

  it('that repeats what is known costs nothing; nor one about what is not wanted', async () => {
    service.publish('other', {});
    await connected({ policies: ['pm25'] });
    const before = service.polls;
    service.push('pm25');
    service.push('other', { gen: 99 });
    await pass(5000);
    expect(service.polls).toBe(before);
  });

  it('that cannot be read is as good as any', async () => {
    await connected();
    service.publish('pm25', { limit: 25 });
    stream().send('data: {"half\n\n');
    await pass(300);
    expect(limit()).toBe(25);
  });

  it('that comes before the manifest shows it is waited for', async () => {
    await connected();
    const snapshot = service.publish('pm25', { limit: 25 });
    const fresh = service.items.get('pm25')!;
    // A reader that lags behind the journal.
    service.put({ ...fresh, gen: 1, snapshot: 'old', next: null });
    service.items.set('pm25', { ...fresh, gen: 1 });
    service.lie = ({ name }) =>
      name.includes('/manifest') ? new Response(null, { status: 304 }) : undefined;
    service.push('pm25', { gen: 2, snapshot });
    await pass(800);
    expect(limit()).toBe(35);
    service.items.set('pm25', fresh);
    service.lie = () => undefined;
    await pass(2000);
    expect(limit()).toBe(25);
  });

  it('that tells of what never comes costs a few polls, and no more', async () => {
    await connected();
    const before = service.polls;
    service.push('pm25', { gen: 1_000_000 });
    await pass(40_000);
    expect(service.polls - before).toBeGreaterThan(3);
    expect(service.polls - before).toBeLessThan(10);
  });
});

describe('a flood', () => {
  it('costs one poll under way, one to follow, and later and later ones', async () => {
    await connected();
    const before = service.polls;
    let atOnce = 0;
    let most = 0;
    service.lie = async (call) => {
      if (!call.name.includes('/manifest')) return service.answer(call);
      most = Math.max(most, ++atOnce);
      await settle(1);
      atOnce -= 1;
      return service.answer(call);
    };
    for (let round = 0; round < 60; round++) {
      for (let n = 0; n < 50; n++) service.push('pm25', { gen: 1000 + round * 50 + n });
      await pass(500);
    }
    expect(most).toBe(1);
    // 30 s: at 50, 100, 200 … ms, and then every 5 s.
    expect(service.polls - before).toBeLessThan(16);
    service.publish('pm25', { limit: 25 });
    service.push('pm25', { gen: 9_000_000 });
    await pass(5100);
    expect(limit()).toBe(25);
  });

  it('in one message without an end is cut off', async () => {
    await connected();
    const endless = `data: ${'x'.repeat(1024 * 1024)}`;
    for (let n = 0; n < 5 && service.streams.size > 0; n++) {
      stream().send(endless);
      await settle();
    }
    expect(policies.said('push-lost')[0]?.message).toContain('over 4194304 characters');
    expect(limit()).toBe(35);
  });
});

describe('a stream', () => {
  it('lets the client poll no more than once a minute', async () => {
    await connected({ pollMs: 5000 });
    const before = service.polls;
    for (let beat = 0; beat < 3; beat++) {
      await pass(15_000);
      stream().send(`: heartbeat\nid: 7\n\n`);
    }
    expect(service.polls).toBe(before);
    await pass(24_000);
    expect(service.polls).toBe(before + 1);
    expect(service.streams.size).toBe(1);
  });

  it('that opens late misses nothing: what was changed before it is asked for', async () => {
    const opening = Promise.withResolvers<undefined>();
    service.lie = (call) =>
      isStream(call) ? opening.promise.then(() => service.answer(call)) : undefined;
    policies = testClient(service, { push: 'sse' });
    await policies.ready();
    service.publish('pm25', { limit: 25 });
    await pass(1000);
    expect(limit()).toBe(35);
    opening.resolve(undefined);
    await pass(500);
    expect(limit()).toBe(25);
  });

  it('that falls silent is replaced, after the last position; meanwhile the client polls', async () => {
    await connected({ pollMs: 5000 });
    stream().send(': heartbeat\nid: 41\n\n');
    await pass(39_000);
    expect(policies.said('push-lost')).toEqual([]);
    service.lie = (call) => (isStream(call) ? problem(503, 'unavailable') : undefined);
    await pass(2000);
    expect(policies.said('push-lost')[0]?.message).toMatch(/silent for 40000 ms/);
    expect(service.streams.size).toBe(0);
    expect(policies.status().push).toBe('down');
    service.publish('pm25', { limit: 25 });
    await pass(6000);
    expect(limit()).toBe(25);
    service.lie = () => undefined;
    await pass(31_000);
    expect(policies.status().push).toBe('up');
    expect(policies.said('push-back')).toHaveLength(1);
    expect(stream().lastEventId).toBe('41');
  });

  it('that the service ends in order is opened again, and nothing is said', async () => {
    await connected();
    await pass(30_000);
    stream().end();
    await pass(1100);
    expect(policies.status().push).toBe('up');
    expect(service.streams.size).toBe(1);
    expect(policies.said('push-lost')).toEqual([]);
    expect(stream().lastEventId).toBe('1');
  });

  it('that ends at once, again and again, is not taken for one that works', async () => {
    await connected();
    const before = service.calls.filter(isStream).length;
    for (let n = 0; n < 60; n++) {
      if (service.streams.size > 0) stream().end();
      await pass(1000);
    }
    // Later and later, up to half a minute.
    expect(service.calls.filter(isStream).length - before).toBeLessThan(10);
    expect(policies.said('push-lost')[0]?.message).toContain('ends again and again');
  });

  it('whose position is no good begins anew', async () => {
    await connected();
    service.lie = (call) =>
      isStream(call) && call.headers.has('last-event-id')
        ? problem(412, 'precondition_failed')
        : undefined;
    stream().end();
    await pass(5000);
    expect(policies.status().push).toBe('up');
    expect(stream().lastEventId).toBeNull();
  });

  it('that is refused is asked for once in a minute', async () => {
    service.lie = (call) => (isStream(call) ? problem(403, 'forbidden') : undefined);
    policies = testClient(service, { push: 'sse', pollMs: 10_000 });
    await policies.ready();
    await pass(50_000);
    expect(service.calls.filter(isStream)).toHaveLength(1);
    expect(policies.said('push-lost')).toHaveLength(1);
    await pass(15_000);
    expect(service.calls.filter(isStream)).toHaveLength(2);
  });

  it('that is a page of something else is no stream', async () => {
    service.lie = (call) => (isStream(call) ? new Response('<html>') : undefined);
    policies = testClient(service, { push: 'sse' });
    await policies.ready();
    await settle();
    expect(policies.status().push).toBe('down');
    expect(policies.said('push-lost')[0]?.message).toContain('a stream of events');
  });
});
