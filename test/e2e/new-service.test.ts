import { expect, it, onTestFinished } from 'vitest';
import { localTokens } from '../support/local-service.ts';
import { runHms } from '../support/run-hms.ts';
import { serviceClient } from '../support/service-client.ts';
import { startLocalServer, temporaryFolder } from '../support/start-local-server.ts';

const limitMs = 60_000;

it('has a new service behind the gateway in under a minute', { timeout: 2 * limitMs }, async () => {
  const server = await startLocalServer({ env: { HMS_ALLOW_PRIVATE_TARGETS: '1' } });
  onTestFinished(async () => void (await server.stop()));
  const place = {
    cwd: temporaryFolder(),
    env: { HMS_URL: server.baseUrl, HMS_DATA_DIR: server.dataDir },
  };
  const startedMs = performance.now();
  const made = await runHms(['new-service', 'payment-ledger'], place);
  expect(made.stderr).toBe('');
  const deployed = await runHms(['deploy', 'payment-ledger'], place);
  onTestFinished(async () => void (await runHms(['deploy', 'payment-ledger', '--stop'], place)));
  expect(deployed.stderr).toBe('');
  const portal = serviceClient(server.baseUrl, await localTokens(server)('demo-service'));
  const answer = await portal.fetch('GET', '/svc/payment-ledger/hello');
  const tookMs = performance.now() - startedMs;
  expect(answer.status, answer.text).toBe(200);
  expect(JSON.parse(answer.text)).toEqual({ hello: 'demo-service', tenant: 'demo' });
  expect(tookMs).toBeLessThan(limitMs);

  const stopped = await runHms(['deploy', 'payment-ledger', '--stop'], place);
  expect(stopped.stdout).toContain('stopped, and no longer registered');
  expect((await portal.fetch('GET', '/svc/payment-ledger/hello')).status).toBe(404);
});

it('says how to start a server that may call this machine', async () => {
  const server = await startLocalServer();
  onTestFinished(async () => void (await server.stop()));
  const place = {
    cwd: temporaryFolder(),
    env: { HMS_URL: server.baseUrl, HMS_DATA_DIR: server.dataDir },
  };
  await runHms(['new-service', 'payment-ledger'], place);
  const deployed = await runHms(['deploy', 'payment-ledger'], place);
  expect(deployed.code).toBe(1);
  expect(deployed.stderr).toContain('HMS_ALLOW_PRIVATE_TARGETS=1 npm start');
});
