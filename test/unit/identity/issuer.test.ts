import { createPublicKey, generateKeyPairSync } from 'node:crypto';

import { Hono } from 'hono';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';

import { jwksTokenVerifier } from '../../../src/adapters/runtime/jwks-token-verifier.ts';
import { createIssuer } from '../../../src/http/issuer/create-issuer.ts';

const issuerUrl = 'http://127.0.0.1:8080';
const nowMs = Date.UTC(2026, 10, 20, 12);
const clock = { nowMs: () => nowMs };
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });
const jwks = { keys: [{ ...publicJwk, kid: 'k1', alg: 'RS256', use: 'sig' }] };
const secret = 'demo-secret-demo-secret-demo-secret';
const odd = { clientId: 'odd+id', clientSecret: 'ü: %+/ secret secret secret secret' };

let made = 0;
const issuer = new Hono().route(
  '/',
  createIssuer({
    issuerUrl,
    keys: { kid: 'k1', privateKey, jwks },
    clients: [
      {
        clientId: 'demo-editor',
        clientSecret: secret,
        tenant: 'demo',
        scopes: ['hms/read:policy', 'hms/write:policy'],
      },
      { ...odd, tenant: 'other', scopes: [] },
    ],
    clock,
    ids: { next: () => `id-${++made}` },
  }),
);

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

function basic(id: string, password: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}` };
}

async function post(body: string, headers: Record<string, string> = {}) {
  const response = await issuer.request('/oauth2/token', {
    method: 'POST',
    headers: { ...form, ...headers },
    body,
  });
  const json: Record<string, string> = JSON.parse(await response.text());
  return { response, json };
}

const inBody = `client_id=demo-editor&client_secret=${secret}`;
const grant = 'grant_type=client_credentials';

test('a token has the shape of Cognito’s, plus the tenant', async () => {
  const { response, json } = await post(grant, basic('demo-editor', secret));
  expect(response.status).toBe(200);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  expect(json).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'hms/read:policy hms/write:policy',
  });
  const token = json['access_token'] ?? '';
  expect(decodeProtectedHeader(token)).toEqual({ kid: 'k1', alg: 'RS256' });
  expect(decodeJwt(token)).toEqual({
    sub: 'demo-editor',
    token_use: 'access',
    scope: 'hms/read:policy hms/write:policy',
    auth_time: nowMs / 1000,
    iss: issuerUrl,
    exp: nowMs / 1000 + 3600,
    iat: nowMs / 1000,
    version: 2,
    jti: `id-${made}`,
    client_id: 'demo-editor',
    tenant: 'demo',
  });
});

test('our verifier accepts the token by the published keys', async () => {
  const { json } = await post(`${grant}&${inBody}&scope=hms%2Fread%3Apolicy`);
  const response = await issuer.request('/.well-known/jwks.json');
  const published: typeof jwks = JSON.parse(await response.text());
  const verifier = jwksTokenVerifier({ issuer: issuerUrl, jwks: published, clock });
  expect(await verifier.verify(json['access_token'] ?? '')).toMatchObject({
    tenant: 'demo',
    actor: 'demo-editor',
    scopes: new Set(['read:policy']),
  });
});

test('the metadata points at the endpoints', async () => {
  const response = await issuer.request('/.well-known/openid-configuration');
  expect(await response.json()).toMatchObject({
    issuer: issuerUrl,
    token_endpoint: `${issuerUrl}/oauth2/token`,
    jwks_uri: `${issuerUrl}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials'],
    scopes_supported: expect.arrayContaining(['hms/read:policy', 'hms/admin']),
  });
});

test('HTTP Basic carries the id and the secret form-encoded', async () => {
  const encoded = [odd.clientId, odd.clientSecret].map((text) =>
    new URLSearchParams({ '': text }).toString().slice(1),
  );
  const { response } = await post(grant, basic(encoded[0] ?? '', encoded[1] ?? ''));
  expect(response.status).toBe(200);
});

test.each([
  ['a repeated scope once', 'scope=hms/read:policy+hms/read:policy', 'hms/read:policy'],
  ['all for an empty one', 'scope=', 'hms/read:policy hms/write:policy'],
  ['what was asked for', 'scope=hms/write:policy&unknown=1', 'hms/write:policy'],
])('grants %s', async (_case, scope, granted) => {
  const { json } = await post(`${grant}&${inBody}&${scope}`);
  expect(json['scope']).toBe(granted);
});

test('a client id in the body may repeat the one of the header', async () => {
  const { response } = await post(`${grant}&client_id=demo-editor`, basic('demo-editor', secret));
  expect(response.status).toBe(200);
});

test.each<[string, number, string, string, Record<string, string>?]>([
  ['no grant type', 400, 'invalid_request', inBody],
  ['another grant type', 400, 'unsupported_grant_type', `grant_type=password&${inBody}`],
  ['a repeated parameter', 400, 'invalid_request', `${grant}&${grant}&${inBody}`],
  ['a repeated unknown parameter', 400, 'invalid_request', `${grant}&a=1&a=2&${inBody}`],
  ['another content type', 400, 'invalid_request', '{}', { 'Content-Type': 'application/json' }],
  ['a foreign scope', 400, 'invalid_scope', `${grant}&${inBody}&scope=hms/admin`],
  ['a scope too many', 400, 'invalid_scope', `${grant}&${inBody}&scope=hms/read:policy+hms/admin`],
  ['a scope without prefix', 400, 'invalid_scope', `${grant}&${inBody}&scope=read:policy`],
  ['a malformed scope', 400, 'invalid_scope', `${grant}&${inBody}&scope=%22`],
  ['no client', 401, 'invalid_client', grant],
  ['no secret', 401, 'invalid_client', `${grant}&client_id=demo-editor`],
  ['a wrong secret', 401, 'invalid_client', `${grant}&client_id=demo-editor&client_secret=x`],
  ['an unknown client', 401, 'invalid_client', grant, basic('nobody', secret)],
  ['another’s secret', 401, 'invalid_client', grant, basic('odd%2Bid', secret)],
  ['an empty secret', 401, 'invalid_client', grant, basic('demo-editor', '')],
  ['a bearer token', 401, 'invalid_client', `${grant}&${inBody}`, { Authorization: 'Bearer x' }],
  ['broken Basic', 401, 'invalid_client', grant, { Authorization: 'Basic %%%' }],
  ['broken encoding', 401, 'invalid_client', grant, basic('demo-editor', '%zz')],
  ['two ways', 400, 'invalid_request', `${grant}&${inBody}`, basic('demo-editor', secret)],
  ['two ids', 400, 'invalid_request', `${grant}&client_id=b`, basic('demo-editor', secret)],
  ['a long body', 413, 'invalid_request', `${grant}&${inBody}&a=${'x'.repeat(8192)}`],
])('refuses %s', async (_case, status, code, body, headers) => {
  const { response, json } = await post(body, headers);
  expect(response.status).toBe(status);
  expect(json).toEqual({ error: code, error_description: expect.stringMatching(/^[^"\\]+$/) });
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  expect(response.headers.has('WWW-Authenticate')).toBe(status === 401);
});

test('a wrong secret and an unknown client look the same', async () => {
  const wrong = await post(grant, basic('demo-editor', 'x'));
  const unknown = await post(grant, basic('nobody', 'x'));
  expect(wrong.json).toEqual(unknown.json);
});

test('tokens are had by POST alone', async () => {
  const response = await issuer.request(`/oauth2/token?${grant}&${inBody}`);
  expect(response.status).toBe(405);
  expect(response.headers.get('Allow')).toBe('POST');
});
