import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

import { jwksTokenVerifier } from '../../src/adapters/runtime/jwks-token-verifier.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { TokenVerifier } from '../../src/ports/token-verifier.ts';

export interface TestTokenOptions {
  readonly tenant?: string;
  /** The client, or the user if `username` is one of the claims. */
  readonly actor?: string;
  /** Without the prefix: `read:policy`. */
  readonly scopes?: readonly string[];
  readonly subject?: string;
  readonly region?: string;
  readonly expiresInS?: number;
  /** Laid over the rest; `undefined` takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly jwks: { readonly keys: readonly object[] };
  /** Of these tokens, by the embedded JWKS. */
  readonly verifier: TokenVerifier;
  claims(options?: TestTokenOptions): Record<string, unknown>;
  /** A token as the issuer would sign it. */
  token(options?: TestTokenOptions): string;
  /** Any payload and header, signed with the issuer's key: RS512 if the header says so, else RS256. */
  sign(payload: unknown, header?: Readonly<Record<string, unknown>>): string;
}

/** An issuer with a key of its own: about 100 ms, so make one for a file, not for a test. */
export function makeTestIssuer(
  options: {
    readonly issuer?: string;
    readonly kid?: string;
    readonly clock?: Pick<Clock, 'nowMs'>;
  } = {},
): TestIssuer {
  const { issuer = 'http://127.0.0.1:8080', clock = { nowMs: () => Date.now() } } = options;
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = options.kid ?? createHash('sha256').update(String(jwk.n)).digest('base64url');
  const jwks = { keys: [{ ...jwk, kid, use: 'sig', alg: 'RS256' }] };

  function claims(token: TestTokenOptions = {}): Record<string, unknown> {
    const nowS = Math.floor(clock.nowMs() / 1000);
    const { tenant = 'demo', actor = 'demo-service', scopes = ['read:policy'] } = token;
    return {
      sub: actor,
      token_use: 'access',
      scope: scopes.map((scope) => `hms/${scope}`).join(' '),
      auth_time: nowS,
      iss: issuer,
      exp: nowS + (token.expiresInS ?? 3600),
      iat: nowS,
      version: 2,
      jti: '0192e4a0-test',
      client_id: actor,
      tenant,
      subject: token.subject,
      region: token.region,
      ...token.claims,
    };
  }

  function sign(payload: unknown, header: Readonly<Record<string, unknown>> = {}): string {
    const input = `${encoded({ kid, alg: 'RS256', ...header })}.${encoded(payload)}`;
    const hash = header['alg'] === 'RS512' ? 'RSA-SHA512' : 'RSA-SHA256';
    return `${input}.${signBytes(hash, Buffer.from(input), privateKey).toString('base64url')}`;
  }

  return {
    issuer,
    kid,
    publicKey,
    jwks,
    verifier: jwksTokenVerifier({ issuer, jwks, clock }),
    claims,
    token: (token) => sign(claims(token)),
    sign,
  };
}

/** One part of a JWT. */
export function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** A JWKS endpoint on loopback. `respond` answers each request, or leaves it open. */
export async function serveJwks(respond: (response: ServerResponse) => void) {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    respond(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    jwksUri: `http://127.0.0.1:${address.port}/.well-known/jwks.json`,
    requests: () => requests,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
