import { createHmac } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Unauthenticated } from '../../src/core/errors/app-error.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { TokenVerifier } from '../../src/ports/token-verifier.ts';
import { encoded, makeTestIssuer } from '../support/tokens.ts';
import type { TestTokenOptions } from '../support/tokens.ts';

/** What the verifier under test is to trust, and the clock it is to go by. */
export interface Trust {
  readonly issuer: string;
  readonly jwks: { readonly keys: readonly object[] };
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface VerifierUnderTest {
  readonly verifier: TokenVerifier;
  close?(): Promise<void>;
}

const startMs = Date.UTC(2026, 10, 20);
let nowMs = startMs;
const clock = { nowMs: () => nowMs };

/** The contract of `TokenVerifier`: every adapter must pass it. */
export function describeTokenVerifier(
  name: string,
  make: (trust: Trust) => Promise<VerifierUnderTest>,
): void {
  const ours = makeTestIssuer({ issuer: 'https://issuer.example/pool', clock });
  const foreign = makeTestIssuer({ issuer: ours.issuer, clock });
  const sameKid = makeTestIssuer({ issuer: ours.issuer, kid: ours.kid, clock });

  describe(`${name} is a TokenVerifier`, () => {
    let made: VerifierUnderTest;
    beforeAll(async () => {
      made = await make({ issuer: ours.issuer, jwks: ours.jwks, clock });
    });
    afterAll(async () => {
      await made.close?.();
    });

    async function refusal(token: string): Promise<string> {
      const error: unknown = await made.verifier.verify(token).then(
        () => new Error('accepted'),
        (reason: unknown) => reason,
      );
      if (!(error instanceof Unauthenticated)) throw error;
      expect(error.cause).toBeUndefined();
      for (const part of token.split('.').filter((text) => text.length > 8)) {
        expect(error.message).not.toContain(part);
      }
      return error.message;
    }

    const claiming = (claims: TestTokenOptions['claims']): string =>
      ours.token(claims === undefined ? {} : { claims });

    test('a client’s token stands for the client', async () => {
      const scopes = ['read:policy', 'write:job'];
      const principal = await made.verifier.verify(ours.token({ actor: 'demo-bot', scopes }));
      expect(principal).toEqual({
        tenant: 'demo',
        actor: 'demo-bot',
        scopes: new Set(scopes),
        subject: 'demo-bot',
        region: undefined,
        expiresAtMs: startMs + 3_600_000,
      });
    });

    test('a user’s token stands for the user, with the subject and region it names', async () => {
      const token = ours.token({
        actor: 'portal',
        subject: 'urn:citizen:7',
        region: 'NCR',
        claims: { username: 'maya' },
      });
      expect(await made.verifier.verify(token)).toMatchObject({
        actor: 'maya',
        subject: 'urn:citizen:7',
        region: 'NCR',
      });
      const plain = ours.token({ actor: 'portal', claims: { username: 'maya', sub: 'u-1' } });
      expect(await made.verifier.verify(plain)).toMatchObject({ actor: 'maya', subject: 'portal' });
    });

    test('scopes of other resource servers are not ours', async () => {
      const scope = 'openid admin other/admin hms/ hms/read:policy xhms/admin';
      const principal = await made.verifier.verify(claiming({ scope }));
      expect(principal.scopes).toEqual(new Set(['read:policy']));
      expect((await made.verifier.verify(claiming({ scope: undefined }))).scopes.size).toBe(0);
    });

    test('a token is good until its last millisecond', async () => {
      const token = ours.token({ expiresInS: 60 });
      nowMs = startMs + 59_999;
      await expect(made.verifier.verify(token)).resolves.toBeDefined();
      nowMs = startMs + 60_000;
      expect(await refusal(token)).toMatch(/expired/);
      nowMs = startMs;
    });

    test('a token is good from its `nbf` on', async () => {
      const token = claiming({ nbf: startMs / 1000 + 10 });
      expect(await refusal(token)).toMatch(/not valid yet/);
      nowMs = startMs + 10_000;
      await expect(made.verifier.verify(token)).resolves.toBeDefined();
      nowMs = startMs;
    });

    test.each([
      ['no exp', { exp: undefined }, /malformed/],
      ['exp as text', { exp: '9999999999' }, /malformed/],
      ['another issuer', { iss: 'https://issuer.example/other' }, /another issuer/],
      ['no issuer', { iss: undefined }, /another issuer/],
      ['an id token', { token_use: 'id' }, /not an access token/],
      ['no token_use', { token_use: undefined }, /not an access token/],
      ['no tenant', { tenant: undefined }, /no tenant/],
      ['an empty tenant', { tenant: '' }, /no tenant/],
      ['a tenant of capitals', { tenant: 'Demo' }, /no tenant/],
      ['a tenant with a separator', { tenant: 'demo#policy' }, /no tenant/],
      ['a tenant with a newline', { tenant: 'demo\n' }, /no tenant/],
      ['a tenant that ends in -', { tenant: 'demo-' }, /no tenant/],
      ['a tenant of 64', { tenant: 'a'.repeat(64) }, /no tenant/],
      ['a list of tenants', { tenant: ['demo'] }, /no tenant/],
      ['no client', { client_id: undefined }, /malformed/],
      ['an empty client', { client_id: '' }, /malformed/],
      ['a user that is no text', { username: 7 }, /malformed/],
      ['a subject with a newline', { subject: 'a\nb' }, /malformed/],
    ])('refuses %s', async (_case, claims, message) => {
      expect(await refusal(claiming(claims))).toMatch(message);
    });

    test('refuses a foreign key', async () => {
      expect(await refusal(foreign.token())).toMatch(/not signed by the issuer/);
    });

    test('refuses a foreign key under the issuer’s key id', async () => {
      expect(await refusal(sameKid.token())).toMatch(/not signed by the issuer/);
    });

    test('refuses a token without a key id', async () => {
      const token = ours.sign(ours.claims(), { kid: undefined });
      expect(await refusal(token)).toMatch(/not signed by the issuer/);
    });

    test('refuses alg none, with and without a signature', async () => {
      const [, payload = '', signature = ''] = ours.token().split('.');
      const header = encoded({ kid: ours.kid, alg: 'none' });
      expect(await refusal(`${header}.${payload}.`)).toMatch(/malformed/);
      expect(await refusal(`${header}.${payload}.${signature}`)).toMatch(/not signed/);
    });

    test.each(['pem', 'der', 'jwk'] as const)(
      'refuses HS256 with the public key (%s) as the secret',
      async (format) => {
        const secret =
          format === 'jwk'
            ? JSON.stringify(ours.jwks.keys[0])
            : ours.publicKey.export({ format: 'pem', type: 'spki' });
        const key =
          format === 'der' ? ours.publicKey.export({ format: 'der', type: 'spki' }) : secret;
        const input = `${encoded({ kid: ours.kid, alg: 'HS256' })}.${encoded(ours.claims())}`;
        const signature = createHmac('sha256', key).update(input).digest('base64url');
        expect(await refusal(`${input}.${signature}`)).toMatch(/not signed/);
      },
    );

    test('refuses another algorithm of the same key', async () => {
      expect(await refusal(ours.sign(ours.claims(), { alg: 'RS512' }))).toMatch(/not signed/);
      expect(await refusal(ours.sign(ours.claims(), { alg: undefined }))).toMatch(/not signed/);
    });

    test('refuses a token that brings its own key', async () => {
      const [jwk] = foreign.jwks.keys;
      for (const header of [
        { jwk },
        { jku: 'https://evil.example/jwks.json' },
        { x5c: ['AA=='] },
      ]) {
        await refusal(foreign.sign(foreign.claims(), header));
        expect(await refusal(ours.sign(ours.claims(), header))).toMatch(/malformed/);
      }
    });

    test('refuses a critical extension that it does not know', async () => {
      const token = ours.sign(ours.claims(), { crit: ['b64'], b64: false });
      expect(await refusal(token)).toMatch(/malformed/);
    });

    test('refuses a tampered payload, header or signature', async () => {
      const [header = '', , signature = ''] = ours.token().split('.');
      const payload = encoded(ours.claims({ tenant: 'other' }));
      expect(await refusal(`${header}.${payload}.${signature}`)).toMatch(/not signed/);
      const [, good = ''] = ours.token().split('.');
      const otherHeader = encoded({ alg: 'RS256', kid: ours.kid, typ: 'JWT' });
      expect(await refusal(`${otherHeader}.${good}.${signature}`)).toMatch(/not signed/);
      const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
      expect(await refusal(`${header}.${good}.${flipped}`)).toMatch(/not signed/);
    });

    test('refuses what is no token at all', async () => {
      const token = ours.token();
      const [header = '', payload = '', signature = ''] = token.split('.');
      const notJson = Buffer.from('{"sub": oops').toString('base64url');
      for (const garbage of [
        '',
        '.',
        '..',
        'garbage',
        `${header}.${payload}`,
        `${header}..${signature}`,
        `.${payload}.${signature}`,
        `${token}.${signature}`,
        ` ${token}`,
        `${token}\n`,
        `${header}.${notJson}.${signature}`,
        `${notJson}.${payload}.${signature}`,
        `${encoded([])}.${payload}.${signature}`,
        `${header}.${encoded('text')}.${signature}`,
        `${header}.${encoded(null)}.${signature}`,
        '\u0000'.repeat(20),
      ]) {
        expect(await refusal(garbage)).toMatch(/malformed/);
      }
    });

    test('refuses a long token without parsing it, whoever signed it', async () => {
      expect(await refusal(claiming({ padding: 'x'.repeat(8192) }))).toMatch(/8 KB/);
      expect(await refusal(`${'A'.repeat(500_000)}.${'A'.repeat(500_000)}.AA`)).toMatch(/8 KB/);
    });

    test('the same token again is the same answer', async () => {
      const token = ours.token();
      const first = await made.verifier.verify(token);
      expect(await made.verifier.verify(token)).toEqual(first);
      const bad = foreign.token();
      expect(await refusal(bad)).toBe(await refusal(bad));
    });
  });
}
