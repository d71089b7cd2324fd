import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { loadClients } from '../../../src/adapters/local/client-registry.ts';
import { loadSigningKeys } from '../../../src/adapters/local/signing-keys.ts';
import { jwksTokenVerifier } from '../../../src/adapters/runtime/jwks-token-verifier.ts';
import { systemClock } from '../../../src/adapters/runtime/system-clock.ts';
import { roleScopes } from '../../../src/core/identity/scopes.ts';
import { createIssuer } from '../../../src/http/issuer/create-issuer.ts';

const issuerUrl = 'http://127.0.0.1:8080';

async function start(dataDir: string) {
  const [keys, clients] = await Promise.all([loadSigningKeys(dataDir), loadClients(dataDir)]);
  const ids = { next: () => 'id-1' };
  return {
    clients,
    issuer: createIssuer({ issuerUrl, keys, clients, clock: systemClock, ids }),
    verifier: jwksTokenVerifier({ issuer: issuerUrl, jwks: keys.jwks }),
  };
}

test('each client of the first start gets a token of its role, good after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hms-issuer-'));
  onTestFinished(async () => rm(dataDir, { recursive: true }));
  const { clients, issuer } = await start(dataDir);
  const restarted = await start(dataDir);

  const roles: Readonly<Record<string, readonly string[]>> = roleScopes;
  expect(clients).toHaveLength(6);
  for (const { name, tenant, clientId, clientSecret } of clients) {
    const response = await issuer.request('/oauth2/token', {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
    });
    const { access_token: token }: { access_token: string } = JSON.parse(await response.text());
    expect(await restarted.verifier.verify(token)).toMatchObject({
      tenant,
      actor: clientId,
      scopes: new Set(roles[name]),
    });
  }
});
