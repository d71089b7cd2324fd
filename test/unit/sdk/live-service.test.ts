import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../../sdk/src/node/create-client.ts';
import type { PolicyChanged } from '../../../sdk/src/policies/client-events.ts';
import type { PolicyClient } from '../../../sdk/src/policies/policy-client.ts';
import { localService } from '../../support/local-service.ts';
import { packageOf, ruleYaml } from '../../support/policy-documents.ts';
import { RolloutCalls } from '../../support/rollout-calls.ts';
import { serviceClient, type ServiceClient } from '../../support/service-client.ts';
import { clientOf, type LocalServer, startLocalServer } from '../../support/start-local-server.ts';

// The client against the service itself, as `npm start` runs it.
let server: LocalServer;
let calls: RolloutCalls;
let editor: ServiceClient;
const open: PolicyClient[] = [];

beforeAll(async () => {
  server = await startLocalServer();
  const service = localService(server);
  calls = await RolloutCalls.of(service);
  editor = serviceClient(server.baseUrl, await service.token('demo-editor'));
});
afterAll(async () => {
  await Promise.all(open.map(async (client) => client.close()));
  await server.stop();
});

const patienceMs = 20_000;

async function until(isSo: () => boolean): Promise<void> {
  const endsMs = performance.now() + patienceMs;
  while (!isSo() && performance.now() < endsMs) await new Promise((done) => setTimeout(done, 5));
  expect(isSo(), isSo.toString()).toBe(true);
}

function start(
  name: 'demo-service' | 'demo-admin',
  options: Partial<Parameters<typeof createClient>[0]> = {},
): { readonly policies: PolicyClient; readonly changes: PolicyChanged[] } {
  const { baseUrl, dataDir } = server;
  const auth = { ...clientOf(dataDir, name), tokenUrl: `${baseUrl}/oauth2/token` };
  const policies = createClient({ baseUrl, auth, cacheDir: false, ...options });
  open.push(policies);
  const changes: PolicyChanged[] = [];
  policies.onChange((change) => changes.push(change));
  return { policies, changes };
}

const rule = (id: string, version: string, limit: number) => ruleYaml(id, { version, limit });

it.each(['sse', 'websocket'] as const)(
  'publish and rollback reach a client at once by %s, and it acknowledges them',
  async (push) => {
    const id = `pm25-${push}`;
    const first = await calls.publish(id, rule(id, '1.0.0', 35));
    const { policies, changes } = start('demo-service', { push, policies: [id] });
    await policies.ready();
    expect(policies.getSync(id)).toEqual({ id, version: '1.0.0', limit: 35 });
    await until(() => policies.status().push === 'up');

    const second = await calls.publish(id, rule(id, '2.0.0', 25));
    await until(() => changes.length === 1);
    expect(changes).toMatchObject([{ id, snapshot: second, version: '2.0.0', previous: first }]);
    expect(policies.getSync(id)).toMatchObject({ limit: 25 });

    const back = await editor.fetch('POST', `/api/policies/${id}/rollback`, {
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(back.status).toBe(200);
    await until(() => changes.length === 2);
    expect(changes[1]).toMatchObject({ snapshot: first, previous: second });
    expect(await policies.get(id)).toMatchObject({ limit: 35 });
    // Pushed, and not polled for: the interval is half a minute.
    expect(policies.status()).toMatchObject({ push: 'up', stale: false, complete: true });

    await policies.close();
    const convergence: unknown = await calls.get(`/api/policies/${id}/convergence`);
    expect(convergence).toMatchObject({ snapshot: first, services: 1, applied: 1 });
  },
);

it('whoever is in a canary gets its candidate, and everyone is back when it is aborted', async () => {
  const id = 'canary-limit';
  const stable = await calls.publish(id, rule(id, '1.0.0', 35));
  const candidate = await calls.store(id, packageOf(rule(id, '2.0.0', 25)));
  const inside = start('demo-admin', { policies: [id], subject: 'bot-1', region: 'NCR' });
  const outside = start('demo-admin', { policies: [id], subject: 'bot-1', region: 'SF' });
  await Promise.all([inside.policies.ready(), outside.policies.ready()]);
  await until(() => inside.policies.status().push === 'up');

  const run = await calls.create({
    policies: [{ id, snapshot: candidate }],
    canary: { percent: 100, scope: 'region:NCR', observeSeconds: 120 },
  });
  await until(() => inside.changes.length === 1);
  expect(inside.changes[0]).toMatchObject({ snapshot: candidate, previous: stable });
  expect(outside.policies.getSync(id)).toMatchObject({ limit: 35 });

  await calls.abort(run);
  await until(() => inside.changes.length === 2);
  expect(inside.changes[1]).toMatchObject({ snapshot: stable, previous: candidate });
  expect(outside.changes).toEqual([]);
});
