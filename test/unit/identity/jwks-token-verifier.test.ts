import { expect, onTestFinished, test, vi } from 'vitest';

import { jwksTokenVerifier } from '../../../src/adapters/runtime/jwks-token-verifier.ts';
import { Unauthenticated, Unavailable } from '../../../src/core/errors/app-error.ts';
import { makeTestIssuer, serveJwks } from '../../support/tokens.ts';

const ours = makeTestIssuer();
const foreign = makeTestIssuer();

async function setUp(respond: Parameters<typeof serveJwks>[0]) {
  const server = await serveJwks(respond);
  onTestFinished(server.close);
  return { server, verifier: jwksTokenVerifier({ issuer: ours.issuer, jwksUri: server.jwksUri }) };
}

test('embedded keys are never fetched, also for an unknown key id', async () => {
  const fetching = vi.spyOn(globalThis, 'fetch');
  onTestFinished(() => fetching.mockRestore());
  await ours.verifier.verify(ours.token());
  await expect(ours.verifier.verify(foreign.token())).rejects.toThrow(Unauthenticated);
  expect(fetching).not.toHaveBeenCalled();
});

test('RS256 alone is accepted, also where the key would allow more', async () => {
  const jwks = { keys: ours.jwks.keys.map((key) => ({ ...key, alg: undefined })) };
  const verifier = jwksTokenVerifier({ issuer: ours.issuer, jwks });
  await verifier.verify(ours.token());
  const token = ours.sign(ours.claims(), { alg: 'RS512' });
  await expect(verifier.verify(token)).rejects.toThrow(Unauthenticated);
});

test('keys are fetched once, and again but once for a flood of unknown key ids', async () => {
  const { server, verifier } = await setUp((response) => response.end(JSON.stringify(ours.jwks)));
  await Promise.all([1, 2, 3].map(async () => verifier.verify(ours.token())));
  await verifier.verify(ours.token());
  expect(server.requests()).toBe(1);
  for (let i = 0; i < 50; i++) {
    const token = ours.sign(ours.claims(), { kid: `unknown-${i}` });
    await expect(verifier.verify(token)).rejects.toThrow(Unauthenticated);
  }
  expect(server.requests()).toBe(2);
  await verifier.verify(ours.token());
});

test('a key that the issuer has begun to use is found', async () => {
  let keys = ours.jwks.keys;
  const { verifier } = await setUp((response) => response.end(JSON.stringify({ keys })));
  await verifier.verify(ours.token());
  keys = [...ours.jwks.keys, ...foreign.jwks.keys];
  await expect(verifier.verify(foreign.token())).resolves.toBeDefined();
});

test.each([
  ['an error', 500, 'oops'],
  ['no JSON', 200, '<html>'],
  ['no JWKS', 200, '{"keys":{}}'],
  ['a broken key', 200, JSON.stringify({ keys: [{ kty: 'RSA', kid: ours.kid, n: '', e: 'A' }] })],
  ['more than 64 KB', 200, JSON.stringify({ ...ours.jwks, padding: 'x'.repeat(65_536) })],
])('keys are unavailable when the endpoint answers with %s', async (_case, status, body) => {
  const { server, verifier } = await setUp((response) => {
    response.writeHead(status).end(body);
  });
  await expect(verifier.verify(ours.token())).rejects.toThrow(Unavailable);
  await expect(verifier.verify(ours.token())).rejects.toThrow(Unavailable);
  // The second within a second of the first: it did not ask again.
  expect(server.requests()).toBe(1);
});

test('a redirect is not followed', async () => {
  const { server, verifier } = await setUp((response) => {
    response.writeHead(response.req.url === '/moved' ? 200 : 302, { Location: '/moved' });
    response.end(JSON.stringify(ours.jwks));
  });
  await expect(verifier.verify(ours.token())).rejects.toThrow(Unavailable);
  expect(server.requests()).toBe(1);
});

test('after a failure, keys are asked for again in a second', async () => {
  let status = 503;
  const { verifier } = await setUp((response) => {
    response.writeHead(status).end(JSON.stringify(ours.jwks));
  });
  await expect(verifier.verify(ours.token())).rejects.toThrow(Unavailable);
  status = 200;
  await vi.waitFor(async () => verifier.verify(ours.token()), { timeout: 5000, interval: 200 });
});

test('keys are unavailable when nobody answers, after 3 s', async () => {
  const { verifier } = await setUp(() => {});
  const startedMs = performance.now();
  await expect(verifier.verify(ours.token())).rejects.toThrow(Unavailable);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

test('a token that names another issuer is refused without asking for keys', async () => {
  const { server, verifier } = await setUp((response) => response.end('{}'));
  const token = ours.token({ claims: { iss: 'https://other.example' } });
  await expect(verifier.verify(token)).rejects.toThrow(Unauthenticated);
  expect(server.requests()).toBe(0);
});

test.each(['http://example.com/jwks.json', 'http://127.0.0.1.evil.example/', 'file:///jwks.json'])(
  'keys must not come from %s',
  (jwksUri) => {
    expect(() => jwksTokenVerifier({ issuer: ours.issuer, jwksUri })).toThrow(/https/);
  },
);

test.each(['https://example.com/', 'http://localhost:1/', 'http://[::1]:1/'])(
  'keys may come from %s',
  (jwksUri) => {
    expect(jwksTokenVerifier({ issuer: ours.issuer, jwksUri })).toBeDefined();
  },
);
