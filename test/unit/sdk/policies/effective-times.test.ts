import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime } from '../../../support/fake-time.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';
import type { PolicyChanged } from '../../../../sdk/src/policies/client-events.ts';

const startsAt = new Date('2026-11-20T18:00:00Z');
const inTenSeconds = new Date('2026-11-20T18:00:10Z');
let service: FakePolicies;
let changes: PolicyChanged[];
beforeEach(() => {
  service = new FakePolicies();
  changes = [];
  stopTime(startsAt.toISOString());
});
afterEach(() => vi.useRealTimers());

async function client(): Promise<TestClient> {
  const policies = testClient(service, { pollMs: 60_000, receipts: true });
  policies.onChange((change) => changes.push(change));
  await policies.ready();
  return policies;
}

const limit = (policies: TestClient) => policies.getSync<{ limit: number }>('pm25').limit;

describe('a rule that waits for its time', () => {
  it('takes effect to the millisecond, without the service, all of a release at once', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('other', { n: 1 });
    const first = service.items.get('pm25')!.snapshot;
    const next = service.publish('pm25', { limit: 25 }, inTenSeconds);
    service.publish('other', { n: 2 }, inTenSeconds);
    const policies = await client();
    expect(policies.describe('pm25')?.next).toEqual({
      snapshot: next,
      version: '2.0.0',
      effectiveAt: inTenSeconds,
      isAtHand: true,
    });
    service.lie = () => problem(503, 'unavailable');
    await pass(9999);
    expect(limit(policies)).toBe(35);
    await vi.advanceTimersByTimeAsync(1);
    expect(limit(policies)).toBe(25);
    expect(changes).toEqual([
      { id: 'pm25', snapshot: next, version: '2.0.0', previous: first, reason: 'effective' },
      expect.objectContaining({ id: 'other', version: '2.0.0', reason: 'effective' }),
    ]);
    expect(policies.said('updated')).toHaveLength(1);
    expect(policies.describe('pm25')).toMatchObject({ snapshot: next, gen: 2, next: null });
    service.lie = () => undefined;
    await pass(60_000);
    const applied = service.reports.flatMap(({ receipts }) => receipts);
    expect(applied).toContainEqual(expect.objectContaining({ policy: 'pm25', snapshot: next }));
  });

  it('is given in time even while the loop is too busy for timers', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('pm25', { limit: 25 }, inTenSeconds);
    const policies = await client();
    vi.setSystemTime(new Date(inTenSeconds.getTime() - 1));
    expect(limit(policies)).toBe(35);
    vi.setSystemTime(inTenSeconds);
    expect(limit(policies)).toBe(25);
    expect(policies.describe('pm25')).toMatchObject({ version: '2.0.0', next: null });
    expect(changes).toEqual([]);
    // When it comes to it, it is told, once.
    await pass(60_000);
    expect(changes).toMatchObject([{ version: '2.0.0', reason: 'effective' }]);
  });

  it('is seen within a minute when the clock is set', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('pm25', { limit: 25 }, new Date('2026-11-21T18:00:00Z'));
    const policies = await client();
    service.lie = () => problem(503, 'unavailable');
    vi.setSystemTime(new Date('2026-11-21T18:00:01Z'));
    await pass(61_000);
    expect(limit(policies)).toBe(25);
    expect(changes).toHaveLength(1);
  });

  it('may be the first: until then there is none', async () => {
    service.publish('pm25', { limit: 25 }, inTenSeconds);
    const policies = await client();
    expect(() => limit(policies)).toThrow('The policy pm25 has no rule in force yet in prod.');
    expect(policies.describe('pm25')).toMatchObject({ snapshot: null, version: null });
    await pass(10_000);
    expect(limit(policies)).toBe(25);
    expect(changes).toMatchObject([{ previous: null, reason: 'effective' }]);
  });

  it('does not take effect when it is called off', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('pm25', { limit: 25 }, new Date(startsAt.getTime() + 90_000));
    const policies = await client();
    service.put({ ...service.items.get('pm25')!, gen: 3, next: null });
    await pass(70_000);
    expect(policies.describe('pm25')).toMatchObject({ gen: 3, next: null });
    await pass(60_000);
    expect(limit(policies)).toBe(35);
    expect(changes).toEqual([]);
  });

  it('nor when it is called off by a rule that cannot be had', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('pm25', { limit: 25 }, new Date(startsAt.getTime() + 90_000));
    const policies = await client();
    const broken = service.publish('pm25', { limit: 30 });
    service.lie = ({ name }) => (name.endsWith(broken) ? problem(500, 'internal') : undefined);
    await pass(70_000);
    await pass(60_000);
    expect(limit(policies)).toBe(35);
    expect(policies.describe('pm25')).toMatchObject({
      next: null,
      refused: { snapshot: broken, reason: 'It is internal.' },
    });
  });

  it('does not take effect without its body, and is fetched when it can be', async () => {
    service.publish('pm25', { limit: 35 });
    const next = service.publish('pm25', { limit: 25 }, inTenSeconds);
    service.lie = ({ name }) => (name.endsWith(next) ? problem(500, 'internal') : undefined);
    const policies = testClient(service, { pollMs: 5000 });
    await pass(3000);
    expect(policies.status()).toMatchObject({ ready: true, complete: false });
    expect(policies.describe('pm25')?.next).toMatchObject({ isAtHand: false });
    await pass(10_000);
    expect(limit(policies)).toBe(35);
    service.lie = () => undefined;
    await pass(40_000);
    expect(limit(policies)).toBe(25);
  });

  it('wakes nobody too early, however far away it is', async () => {
    service.publish('pm25', { limit: 35 });
    service.publish('pm25', { limit: 25 }, new Date('2099-01-01T00:00:00Z'));
    const policies = await client();
    await settle();
    expect(vi.getTimerCount()).toBeLessThanOrEqual(3);
    expect(limit(policies)).toBe(35);
  });
});
