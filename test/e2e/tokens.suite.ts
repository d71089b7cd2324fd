import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { roleScopes } from '../../src/core/identity/scopes.ts';
import { publishRule, useCast } from '../support/cast.ts';
import {
  type DocumentedCall,
  documentedCalls,
  requestFor,
  unusedNames,
} from '../support/documented-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { ClientName, Service, StartService } from '../support/service.ts';
import { clientFor, serviceClient } from '../support/service-client.ts';
import { encoded } from '../support/tokens.ts';

export function describeTokens(name: string, start: StartService): void {
  describe(`${name}: tokens`, () => {
    const cast = useCast(start);
    const values = {
      ...unusedNames,
      id: uniqueId('locked'),
      snapshot: '1.0.0',
      digest: `sha256:${'0'.repeat(64)}`,
    };
    let guarded: readonly DocumentedCall[];
    beforeAll(async () => {
      const calls = await documentedCalls(cast.service.baseUrl);
      guarded = calls.filter(({ scopes }) => scopes.length > 0);
      await publishRule(cast.editor, values.id);
    });

    it('are needed for every operation, and must be good', async () => {
      const anybody = serviceClient(cast.service.baseUrl, null);
      const refused = Object.entries(await badAuthorizations(cast.service));
      for (const call of guarded) {
        const { method, path, init } = requestFor(call, values);
        for (const [what, authorization] of [['none', null] as const, ...refused]) {
          const headers = new Headers(init.headers);
          if (authorization !== null) headers.set('authorization', authorization);
          const answer = await anybody.fetch(method, path, { ...init, headers });
          expect(answer.status, `${call.operationId} with ${what}`).toBe(401);
          expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="hms"');
        }
      }
    });

    it('are looked at before anything else: who has none learns nothing', async () => {
      const anybody = serviceClient(cast.service.baseUrl, null);
      const ask = async (path: string) =>
        (await anybody.fetch('GET', path)).text.replace(/"requestId":"[^"]+"/, '');
      const held = await ask(`/api/policies/${values.id}`);
      for (const path of [
        `${values.id}x`,
        '-',
        `${values.id}?chanel=prod`,
        `${values.id}?at=now`,
      ]) {
        expect(await ask(`/api/policies/${path}`)).toBe(held);
      }
      for (const query of ['access_token', 'token', 'authorization']) {
        const token = await cast.service.token('demo-admin');
        const answer = await anybody.fetch('GET', `/api/policies?${query}=${token}`);
        expect(answer.status).toBe(401);
      }
    });

    /** API Gateway says of a scope that is lacking what it says of a token that is bad. */
    const refusals = () => (cast.service.behindGateway ? [401, 403] : [403]);

    it('must carry the scope of the operation', async () => {
      const narrow = await clientFor(cast.service, 'demo-service', ['write:job']);
      const other = await clientFor(cast.service, 'demo-service', ['write:report']);
      for (const call of guarded) {
        const caller = call.scopes.includes('hms/write:job') ? other : narrow;
        const { method, path, init } = requestFor(call, values);
        const answer = await caller.fetch(method, path, init);
        expect(refusals(), call.operationId).toContain(answer.status);
      }
    });

    it('let each role do what is its own, and nothing else', async () => {
      for (const [role, held] of Object.entries(roleScopes)) {
        const client = await clientFor(cast.service, `demo-${role}` as ClientName);
        for (const call of guarded.filter(
          ({ path }) => !path.includes('stream') && !path.endsWith('/events'),
        )) {
          const { method, path, init } = requestFor(call, values);
          const permitted = ['hms/admin', ...call.scopes].some((scope) =>
            held.some((each) => `hms/${each}` === scope),
          );
          const { status } = await client.fetch(method, path, init);
          const isRefused = refusals().includes(status);
          expect(isRefused, `${role}: ${call.operationId} ${status}`).toBe(!permitted);
        }
      }
    });
  });
}

/** `Authorization` headers that are all to be refused. */
async function badAuthorizations(service: Service): Promise<Record<string, string>> {
  const good = await service.token('demo-admin');
  const [header = '', payload = '', signature = ''] = good.split('.');
  const claims = decodeJwt(good);
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const signed = (key: typeof foreign | Uint8Array, alg: string, more = {}) =>
    new SignJWT({ ...claims, ...more })
      .setProtectedHeader({ ...decodeProtectedHeader(good), alg })
      .sign(key);
  const tokens: Record<string, string> = {
    garbage: 'garbage',
    'three words': 'a.b.c',
    unsigned: `${header}.${payload}.`,
    'two parts': `${header}.${payload}`,
    'alg none': `${encoded({ alg: 'none' })}.${payload}.`,
    'alg None with a signature': `${encoded({ alg: 'None' })}.${payload}.${signature}`,
    'a foreign key': await signed(foreign, 'RS256'),
    'a shared secret': await signed(Buffer.from('x'.repeat(64)), 'HS256'),
    'other claims': `${header}.${encoded({ ...claims, tenant: 'other' })}.${signature}`,
    'a cut signature': good.slice(0, -8),
    'another signature': `${header}.${payload}.${'A'.repeat(signature.length)}`,
    'twice the token': `${good}${good}`,
    'nine kilobytes': 'a'.repeat(9000),
  };
  if (service.forge !== undefined) {
    const past = Math.floor(Date.now() / 1000) - 1;
    tokens['an expired token'] = await service.forge({ exp: past });
    tokens['a token of tomorrow'] = await service.forge({ nbf: past + 86_400 });
    tokens['no expiry'] = await service.forge({ exp: undefined });
    tokens['another issuer'] = await service.forge({ iss: 'https://evil.example' });
    tokens['an id token'] = await service.forge({ token_use: 'id' });
    tokens['no tenant'] = await service.forge({ tenant: undefined });
    tokens['a tenant that climbs'] = await service.forge({ tenant: 'other#policy' });
    tokens['tenants'] = await service.forge({ tenant: ['demo', 'other'] });
  }
  const bearers = Object.entries(tokens).map(([what, token]) => [what, `Bearer ${token}`]);
  return {
    ...(Object.fromEntries(bearers) as Record<string, string>),
    'another scheme': `Basic ${good}`,
    'no scheme': good,
    'two tokens': `Bearer ${good}, Bearer ${good}`,
    nothing: 'Bearer ',
  };
}
