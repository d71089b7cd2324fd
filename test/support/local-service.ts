import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, SignJWT } from 'jose';
import { fetchToken } from './fetch-token.ts';
import type { Service } from './service.ts';
import { clientOf, type LocalServer, startLocalServer } from './start-local-server.ts';

/** The embedded server as a `Service`, in a folder of its own. */
export async function startLocalService(): Promise<Service> {
  return localService(await startLocalServer());
}

export function localService(server: LocalServer): Service {
  const { baseUrl, dataDir } = server;
  const token = localTokens(server);
  return {
    baseUrl,
    token,
    async forge(claims) {
      const good = decodeJwt(await token('demo-service'));
      const jwk = JSON.parse(readFileSync(join(dataDir, 'issuer-key.json'), 'utf8')) as JsonWebKey;
      const { kid } = jwk as { kid?: string };
      return new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: String(kid) })
        .sign(createPrivateKey({ key: jwk, format: 'jwk' }));
    },
    async close() {
      await server.stop();
    },
    lagMs: 0,
    streams: 'live',
    behindGateway: false,
    jobLogs: 1,
    basePath: '',
  };
}

/** Takes each token once. */
export function localTokens({
  baseUrl,
  dataDir,
}: Pick<LocalServer, 'baseUrl' | 'dataDir'>): Service['token'] {
  const taken = new Map<string, Promise<string>>();
  return async (name, scopes) => {
    const wanted = scopes?.map((scope) => `hms/${scope}`);
    const key = [name, ...(wanted ?? [])].join(' ');
    const known = taken.get(key);
    if (known !== undefined) return known;
    const taking = fetchToken(`${baseUrl}/oauth2/token`, clientOf(dataDir, name), wanted);
    taken.set(key, taking);
    return taking;
  };
}
