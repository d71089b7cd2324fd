import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bodyPath, FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, stopTime } from '../../../support/fake-time.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';
import type { RuleCandidate } from '../../../../sdk/src/policies/rule-candidate.ts';

let service: FakePolicies;
let policies: TestClient;
beforeEach(() => {
  service = new FakePolicies();
  stopTime();
});
afterEach(() => vi.useRealTimers());

/** A client that runs the first rule of two policies. */
async function running(options = {}): Promise<TestClient> {
  service.publish('pm25', { limit: 35 });
  service.publish('other', { n: 1 });
  policies = testClient(service, { pollMs: 1000, ...options });
  await policies.ready();
  return policies;
}

/** Publishes a rule whose body is answered with a lie. */
function publishWith(lie: (bytes: Uint8Array) => Response | Promise<Response>): string {
  const snapshot = service.publish('pm25', { limit: 25 });
  const path = bodyPath('pm25', snapshot);
  service.lie = ({ name }) => (name === `GET ${path}` ? lie(service.bodies.get(path)!) : undefined);
  return snapshot;
}

const limit = () => policies.getSync<{ limit: number }>('pm25').limit;

describe('a rule that must not be run', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const cases = {
    'other bytes': {
      lie: (bytes: Uint8Array) => new Response(text(bytes).replace('25', '99')),
      reason: 'digest',
    },
    'half a body that is whole by its length': {
      lie: (bytes: Uint8Array) => new Response(text(bytes).slice(0, 20)),
      reason: 'digest',
    },
    'an empty body': { lie: () => new Response(''), reason: 'digest' },
  };
  it.each(Object.entries(cases))('is refused: %s', async (_, { lie, reason }) => {
    await running({ receipts: true });
    const snapshot = publishWith(lie);
    await pass(3000);
    expect(limit()).toBe(35);
    expect(policies.said('refused')).toMatchObject([{ id: 'pm25', snapshot, reason }]);
    expect(policies.describe('pm25')?.refused).toMatchObject({ snapshot, version: '2.0.0' });
    await pass(3000);
    const told = service.reports.flatMap(({ receipts }) => receipts).at(-1);
    expect(told).toMatchObject({ policy: 'pm25', channel: 'prod', snapshot, status: 'refused' });
    expect(told?.reason).toMatch(/^its bytes have sha256:/);
  });

  const undigested = {
    'no JSON': { body: '{"id":"pm25",', reason: 'unreadable' },
    'no object': { body: '"pm25"', reason: 'unreadable' },
    'no UTF-8': { body: Uint8Array.of(0x7b, 0xff, 0x7d), reason: 'unreadable' },
    'another policy': { body: '{"id":"pm10","version":"2.0.0"}', reason: 'other-rule' },
    'another version': { body: '{"id":"pm25","version":"1.0.0"}', reason: 'other-rule' },
  };
  it.each(Object.entries(undigested))('nor without a digest: %s', async (_, { body, reason }) => {
    await running();
    const snapshot = publishWith(() => new Response(body));
    service.put({ ...service.items.get('pm25')!, bodyDigest: null });
    await pass(3000);
    expect(limit()).toBe(35);
    expect(policies.said('refused')).toMatchObject([{ id: 'pm25', snapshot, reason }]);
  });

  it('is taken when the service mends it, and the others do not wait', async () => {
    await running();
    publishWith(() => new Response('{}'));
    service.publish('other', { n: 2 });
    await pass(3500);
    expect(policies.getSync('other')).toMatchObject({ n: 2 });
    expect(policies.status()).toMatchObject({ complete: false, stale: false });
    service.lie = () => undefined;
    await pass(35_000);
    expect(limit()).toBe(25);
    expect(policies.status().complete).toBe(true);
    expect(policies.said('refused')).toHaveLength(1);
    expect(policies.describe('pm25')?.refused).toBeNull();
  });

  it('is refused by a hook, which may look at the package', async () => {
    const seen: RuleCandidate[] = [];
    const packages: Uint8Array[] = [];
    const verify = async (candidate: RuleCandidate) => {
      seen.push(candidate);
      if (candidate.version !== '1.0.0') throw new Error('two signatures are missing');
      packages.push(await candidate.fetchPackage());
    };
    const zip = new TextEncoder().encode('a package');
    // The name of a snapshot has the digest of its package in it.
    const named = 'v2026-11-20-1758-c0cd5ccf';
    service.publish('pm25', { limit: 35 });
    const first = bodyPath('pm25', service.items.get('pm25')!.snapshot!);
    service.bodies.set(bodyPath('pm25', named), service.bodies.get(first)!);
    service.put({ ...service.items.get('pm25')!, snapshot: named });
    service.lie = ({ headers }) =>
      headers.get('accept') === 'application/zip' ? new Response(zip) : undefined;
    policies = testClient(service, { pollMs: 1000, verify });
    await policies.ready();
    expect(packages).toEqual([zip]);
    expect(seen[0]).toMatchObject({ id: 'pm25', snapshot: named, gen: 1 });
    service.publish('pm25', { limit: 25 });
    await pass(3000);
    expect(limit()).toBe(35);
    expect(policies.said('refused')).toMatchObject([{ reason: 'verify' }]);
    expect(policies.said('refused')[0]?.message).toContain('two signatures are missing');
  });

  it('is refused when its package is another one', async () => {
    service.publish('pm25', { limit: 35 });
    service.lie = ({ headers }) =>
      headers.get('accept') === 'application/zip' ? new Response('forged') : undefined;
    policies = testClient(service, {
      pollMs: 1000,
      verify: async ({ fetchPackage }) => void (await fetchPackage()),
    });
    await pass(2000);
    expect(policies.status().ready).toBe(false);
    expect(policies.said('refused')[0]?.message).toContain('The package is not that of');
  });
});

describe('a manifest that cannot be true', () => {
  it('with a lower generation is not followed, and said once', async () => {
    await running();
    service.publish('pm25', { limit: 25 });
    await pass(1200);
    expect(limit()).toBe(25);
    const [first] = service.bodies.keys();
    const old = { gen: 1, snapshot: first!.split('/').at(-1)!, version: '1.0.0', bodyDigest: null };
    service.put({ ...service.items.get('pm25')!, ...old });
    service.publish('other', { n: 2 });
    await pass(5000);
    expect(limit()).toBe(25);
    expect(policies.getSync('other')).toMatchObject({ n: 2 });
    expect(policies.said('refused')).toMatchObject([{ id: 'pm25', reason: 'lower-gen' }]);
    service.put({ ...service.items.get('pm25')!, gen: 3 });
    await pass(1200);
    expect(limit()).toBe(35);
  });

  it('without a policy that there was leaves it in force, and is told', async () => {
    await running();
    service.items.delete('pm25');
    service.index += 1;
    await pass(3000);
    expect(limit()).toBe(35);
    expect(policies.said('absent')).toMatchObject([{ id: 'pm25' }]);
    expect(policies.said('absent')[0]?.message).toContain('What was in force stays');
  });

  const item = {
    id: 'pm25',
    etag: null,
    snapshot: 's',
    version: '9.0.0',
    bodyDigest: null,
    gen: 9,
    next: null,
  };
  const page = { channel: 'prod', items: [item], next: null };
  const cases: Record<string, unknown> = {
    'no object': null,
    'no items': { channel: 'prod', next: null },
    'of another channel': { ...page, channel: 'test' },
    'twice the same policy': { ...page, items: [item, item] },
    'no generation': { ...page, items: [{ ...item, gen: '9' }] },
    'a version without a snapshot': { ...page, items: [{ ...item, snapshot: null }] },
    'a digest that is none': { ...page, items: [{ ...item, bodyDigest: 7 }] },
    'no time': {
      ...page,
      items: [{ ...item, next: { snapshot: 's', version: '9', effectiveAt: 'soon' } }],
    },
    'a canary that is none': { ...page, items: [{ ...item, canary: { run: 1 } }] },
    'a canary that is over': {
      ...page,
      items: [{ ...item, canary: { run: 1, holdsSeconds: 0, stable: null } }],
    },
    'pages without end': { ...page, items: [], next: 'more' },
  };
  it.each(Object.entries(cases))('is no manifest: %s', async (_, body) => {
    await running();
    service.lie = ({ name }) =>
      name.includes('/manifest') ? Response.json(body, { headers: { etag: '"x"' } }) : undefined;
    await pass(1500);
    expect(policies.said('poll-failed')[0]?.error).toMatchObject({ name: 'BadAnswerError' });
    expect(limit()).toBe(35);
    service.lie = () => undefined;
    service.publish('pm25', { limit: 25 });
    await pass(3000);
    expect(limit()).toBe(25);
    expect(policies.said('recovered')).toHaveLength(1);
  });

  it('is too large, or never ends', async () => {
    await running();
    const chunk = new Uint8Array(1024 * 1024);
    let chunks = 0;
    service.lie = ({ name }) =>
      name.includes('/manifest')
        ? new Response(
            new ReadableStream({
              pull(controller) {
                chunks += 1;
                controller.enqueue(chunk);
              },
            }),
          )
        : undefined;
    await pass(1500);
    expect(chunks).toBeLessThan(20);
    expect(policies.said('poll-failed')[0]?.message).toContain('over 16777216 bytes');
    expect(limit()).toBe(35);
  });

  it('is a 304 to a question that was none', async () => {
    service.lie = () => new Response(null, { status: 304 });
    policies = testClient(service);
    await pass(500);
    expect(policies.said('poll-failed')[0]?.message).toContain('answered with 304');
  });
});

describe('a service in trouble', () => {
  it('is asked again when it wants to be, and not before', async () => {
    await running();
    service.lie = () => problem(429, 'too_many_requests', { 'retry-after': '60' });
    await pass(2000);
    const { polls } = service;
    const { retryInMs = 0 } = policies.said('poll-failed')[0] ?? {};
    expect(retryInMs).toBeGreaterThanOrEqual(60_000);
    // Not all clients at once.
    expect(retryInMs).toBeLessThanOrEqual(61_000);
    service.lie = () => undefined;
    await pass(55_000);
    expect(service.polls).toBe(polls);
    await pass(7000);
    expect(service.polls).toBeGreaterThan(polls);
  });

  it('cannot silence a client for long', async () => {
    await running();
    service.lie = () => problem(503, 'unavailable', { 'retry-after': '999999999' });
    await pass(1500);
    expect(policies.said('poll-failed')[0]?.retryInMs).toBeLessThanOrEqual(301_000);
  });

  it('that hangs costs 10 s, also when fetch does not heed its signal', async () => {
    await running();
    service.lie = () => new Promise(() => undefined);
    await pass(1200);
    expect(policies.said('poll-failed')).toEqual([]);
    await pass(11_000);
    expect(policies.said('poll-failed')[0]?.message).toContain('did not answer in 10000 ms');
    expect(limit()).toBe(35);
  });

  it('gives no token, or takes none: the rules stay', async () => {
    const auth = vi.fn<() => string>(() => 'a-token');
    await running({ auth });
    auth.mockImplementation(() => {
      throw new Error('the vault is sealed');
    });
    await pass(1500);
    expect(policies.said('poll-failed')[0]?.message).toContain('the vault is sealed');
    auth.mockImplementation(() => 'a-token');
    service.lie = () => problem(401, 'unauthenticated');
    await pass(3000);
    expect(policies.said('poll-failed').at(-1)?.error).toMatchObject({ code: 'unauthenticated' });
    expect(limit()).toBe(35);
  });
});
