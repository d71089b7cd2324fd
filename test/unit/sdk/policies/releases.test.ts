import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bodyPath, FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime } from '../../../support/fake-time.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';

let service: FakePolicies;
let policies: TestClient;
beforeEach(() => {
  service = new FakePolicies();
  stopTime();
});
afterEach(() => vi.useRealTimers());

/** A client that runs the first rule of two policies. */
async function running(options = {}): Promise<void> {
  service.publish('pm25', { limit: 35 });
  service.publish('other', { n: 1 });
  policies = testClient(service, { pollMs: 1000, ...options });
  await policies.ready();
}

/** Publishes a rule whose body is answered with a lie. */
function publishWith(lie: (bytes: Uint8Array) => Response | Promise<Response>): string {
  const snapshot = service.publish('pm25', { limit: 25 });
  const path = bodyPath('pm25', snapshot);
  service.lie = ({ name }) => (name === `GET ${path}` ? lie(service.bodies.get(path)!) : undefined);
  return snapshot;
}

const limit = () => policies.getSync<{ limit: number }>('pm25').limit;

describe('several rules of one release', () => {
  it('switch together, when the last of them is here', async () => {
    await running();
    const seen: unknown[] = [];
    policies.onChange(() => seen.push([limit(), policies.getSync<{ n: number }>('other').n]));
    const held = Promise.withResolvers<Response>();
    publishWith(async (bytes) => {
      await held.promise;
      return new Response(bytes as Uint8Array<ArrayBuffer>);
    });
    service.publish('other', { n: 2 });
    await pass(2000);
    expect([limit(), policies.getSync('other')]).toMatchObject([35, { n: 1 }]);
    held.resolve(new Response());
    await settle(60);
    expect(seen).toEqual([
      [25, 2],
      [25, 2],
    ]);
    expect(policies.said('updated')).toHaveLength(1);
  });

  it('do not wait for ever for one that cannot be had', async () => {
    await running();
    const snapshot = publishWith(() => problem(500, 'internal'));
    service.publish('other', { n: 2 });
    await pass(900);
    await settle();
    expect(policies.getSync('other')).toMatchObject({ n: 1 });
    await pass(2500);
    expect(policies.getSync('other')).toMatchObject({ n: 2 });
    expect(limit()).toBe(35);
    expect(policies.said('missing')).toMatchObject([{ id: 'pm25', snapshot }]);
    expect(policies.said('refused')).toEqual([]);
  });

  it('nor for bodies that hang: 15 s after the first failure, and what is on its way', async () => {
    await running();
    service.publish('other', { n: 2 });
    for (let n = 0; n < 40; n++) service.publish(`slow-${n}`, {});
    service.lie = ({ name }) =>
      name.includes('/slow-') ? new Promise(() => undefined) : undefined;
    await pass(12_000);
    expect(policies.getSync('other')).toMatchObject({ n: 1 });
    await pass(20_000);
    expect(policies.getSync('other')).toMatchObject({ n: 2 });
    // Eight at a time, each given up after 10 s.
    expect(service.count('GET /api/policies/slow-')).toBeLessThanOrEqual(32);
  });

  it('are all missing at first: then there is nothing to be ready with', async () => {
    service.publish('pm25', { limit: 35 });
    service.lie = ({ name }) =>
      name.includes('/api/policies/') ? problem(503, 'unavailable') : undefined;
    policies = testClient(service);
    await pass(5000);
    expect(policies.status().ready).toBe(false);
    expect(policies.said('poll-failed').length).toBeGreaterThan(0);
    service.lie = () => undefined;
    await pass(9000);
    expect(limit()).toBe(35);
  });

  it('are not held by one that has been given up, whatever becomes of it', async () => {
    await running({ pollMs: 40_000 });
    publishWith(() => problem(500, 'internal'));
    await pass(45_000);
    expect(policies.said('missing')).toHaveLength(1);
    // It is due again: now it hangs.
    const path = bodyPath('pm25', service.items.get('pm25')!.snapshot!);
    service.lie = ({ name }) => (name === `GET ${path}` ? new Promise(() => undefined) : undefined);
    service.publish('other', { n: 2 });
    const { polls } = service;
    while (service.polls === polls) await pass(1000);
    await pass(500);
    expect(policies.getSync('other')).toMatchObject({ n: 2 });
  });

  it('is tried by one request at a time', async () => {
    await running();
    publishWith(() => problem(500, 'internal'));
    await pass(5000);
    const path = bodyPath('pm25', service.items.get('pm25')!.snapshot!);
    let hanging = 0;
    let most = 0;
    service.lie = async ({ name, signal }) => {
      if (name !== `GET ${path}`) return undefined;
      most = Math.max(most, ++hanging);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          hanging -= 1;
          reject(new Error('given up'));
        });
      });
    };
    await pass(60_000);
    expect(most).toBe(1);
  });

  it('nor does it wait for another poll when it is here at last', async () => {
    await running({ pollMs: 40_000 });
    publishWith(() => problem(500, 'internal'));
    await pass(45_000);
    service.lie = () => undefined;
    const { polls } = service;
    while (service.polls === polls) await pass(1000);
    await pass(500);
    expect(limit()).toBe(25);
    expect(policies.status().complete).toBe(true);
  });

  it('a few bodies are fetched at a time', async () => {
    let open = 0;
    let most = 0;
    for (let n = 0; n < 50; n++) service.publish(`p-${n}`, {});
    service.lie = ({ name }) => {
      if (!name.includes('/snapshots/')) return undefined;
      most = Math.max(most, ++open);
      return Promise.resolve().then(() => {
        open -= 1;
        return service.answer(service.calls.find((call) => call.name === name)!);
      });
    };
    policies = testClient(service);
    await policies.ready();
    expect(policies.status().policies).toBe(50);
    expect(most).toBe(8);
  });
});
