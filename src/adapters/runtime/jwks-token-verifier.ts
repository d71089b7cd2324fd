import { JwtVerifier } from 'aws-jwt-verify';
import {
  FetchError,
  JwkValidationError,
  JwksValidationError,
  JwtBaseError,
  JwtParseError,
} from 'aws-jwt-verify/error';
import type { Fetcher } from 'aws-jwt-verify/https';
import { SimpleJwksCache, assertIsJwks } from 'aws-jwt-verify/jwk';
import type { Jwks } from 'aws-jwt-verify/jwk';
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt';
import type { Json } from 'aws-jwt-verify/safe-json-parse';

import { AppError, Unauthenticated, Unavailable } from '../../core/errors/app-error.ts';
import { scopePrefix, tenantPattern } from '../../core/identity/cognito-claims.ts';
import type { Principal } from '../../core/identity/principal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TokenVerifier } from '../../ports/token-verifier.ts';
import { systemClock } from './system-clock.ts';

type JwksTokenVerifierOptions = {
  /** The `iss` claim, exactly. */
  readonly issuer: string;
  readonly clock?: Pick<Clock, 'nowMs'>;
} & (
  | {
      /** The issuer's public keys. Nothing is ever fetched. */
      readonly jwks: { readonly keys: readonly object[] };
    }
  | {
      /** Where the keys are. `http:` only on loopback: whoever answers here can be anyone. */
      readonly jwksUri: string;
    }
);

type Claims = ReturnType<typeof decomposeUnverifiedJwt>['payload'];

const maxTokenLength = 8 * 1024;
const maxJwksBytes = 64 * 1024;
const fetchTimeoutMs = 3000;
const fetchBackOffMs = 1000;

// RFC 7515 section 4.1: ways to bring a key of one's own, and extensions that we do not know.
const refusedHeaders = ['jwk', 'jku', 'x5c', 'x5u', 'crit'];
const claimTextPattern = /^\P{Cc}{1,256}$/u;

/**
 * The `TokenVerifier` of Cognito, and of every issuer with tokens in Cognito's shape: RS256 alone.
 *
 * With `jwksUri`, the keys are fetched at the first token and kept; a key id that they lack fetches
 * again, at most every 10 s. A fetch that failed is not repeated for a second.
 */
export function jwksTokenVerifier(options: JwksTokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? systemClock;
  const verifySignature = signatureVerifier(options);
  return {
    async verify(token) {
      try {
        checkUnverified(token, options.issuer);
        return principalOf(await verifySignature(token), clock.nowMs());
      } catch (error) {
        throw error instanceof AppError ? error : translated(error);
      }
    },
  };
}

function signatureVerifier(
  options: JwksTokenVerifierOptions,
): (token: string) => Claims | Promise<Claims> {
  // The library compares times with Date.now() and lets a token pass without `exp`: we check both.
  const properties = { issuer: options.issuer, audience: null, graceSeconds: Infinity };
  if ('jwks' in options) {
    const verifier = JwtVerifier.create({ ...properties, jwksUri: 'urn:embedded' });
    verifier.cacheJwks(toJwks(options.jwks));
    return (token) => verifier.verifySync(token);
  }
  const jwksUri = requireSafeUri(options.jwksUri);
  const jwksCache = new SimpleJwksCache({ fetcher: jwksFetcher() });
  const verifier = JwtVerifier.create({ ...properties, jwksUri }, { jwksCache });
  return (token) => verifier.verify(token);
}

/**
 * What is refused without looking at the signature. The issuer must be among it: the library keeps
 * a public key for each issuer named by a token, signed or not, and a flood of names would fill
 * the memory.
 */
function checkUnverified(token: string, issuer: string): void {
  if (token.length > maxTokenLength) throw refusal('The token is longer than 8 KB.');
  const { header, payload } = decomposeUnverifiedJwt(token);
  if (header.alg !== 'RS256') throw notSigned();
  if (refusedHeaders.some((name) => Object.hasOwn(header, name))) throw malformed();
  if (payload.iss !== issuer) throw refusal('The token is from another issuer.');
}

function principalOf(claims: Claims, nowMs: number): Principal {
  if (claims.exp === undefined) throw malformed();
  const expiresAtMs = Math.floor(claims.exp * 1000);
  if (nowMs >= expiresAtMs) throw refusal('The token has expired: get a new one.');
  if (claims.nbf !== undefined && nowMs < claims.nbf * 1000) {
    throw refusal('The token is not valid yet.');
  }
  if (claims.token_use !== 'access') throw refusal('The token is not an access token.');
  const { tenant } = claims;
  if (typeof tenant !== 'string' || !tenantPattern.test(tenant)) {
    throw refusal('The token names no tenant.');
  }
  const clientId = optionalText(claims, 'client_id');
  if (clientId === undefined) throw malformed();
  return {
    tenant,
    actor: optionalText(claims, 'username') ?? clientId,
    scopes: ourScopes(claims.scope ?? ''),
    subject: optionalText(claims, 'subject') ?? clientId,
    region: optionalText(claims, 'region'),
    expiresAtMs,
  };
}

function optionalText(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !claimTextPattern.test(value)) throw malformed();
  return value;
}

function ourScopes(scope: string): ReadonlySet<string> {
  const ours = scope.split(' ').filter((name) => name.startsWith(scopePrefix));
  return new Set(ours.map((name) => name.slice(scopePrefix.length)).filter((name) => name !== ''));
}

/** The library's messages quote the token, so none of its errors of a token becomes a cause. */
function translated(error: unknown): AppError {
  if (error instanceof JwtParseError) return malformed();
  const aboutKeys =
    error instanceof FetchError ||
    error instanceof JwksValidationError ||
    error instanceof JwkValidationError;
  if (error instanceof JwtBaseError && !aboutKeys) return notSigned();
  return new Unavailable('The keys of the token issuer cannot be had.', error);
}

function refusal(message: string): Unauthenticated {
  return new Unauthenticated(message);
}

function malformed(): Unauthenticated {
  return refusal('The token is malformed.');
}

function notSigned(): Unauthenticated {
  return refusal('The token is not signed by the issuer.');
}

function toJwks(given: unknown): Jwks {
  const jwks: Json = JSON.parse(JSON.stringify(given));
  assertIsJwks(jwks);
  return jwks;
}

function requireSafeUri(jwksUri: string): string {
  const { protocol, hostname } = new URL(jwksUri);
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && loopback)) return jwksUri;
  throw new Error(`The JWKS must be at an https: URL, or on loopback: ${jwksUri}`);
}

function jwksFetcher(): Fetcher {
  let failure: { readonly atMs: number; readonly error: unknown } | undefined;
  return {
    async fetch(uri) {
      if (failure !== undefined && performance.now() - failure.atMs < fetchBackOffMs) {
        throw failure.error;
      }
      try {
        const bytes = await fetchBytes(uri);
        // Here, so that an answer that is no JWKS counts as a failure, too.
        toJwks(JSON.parse(new TextDecoder().decode(bytes)));
        failure = undefined;
        return bytes;
      } catch (error) {
        failure = { atMs: performance.now(), error };
        throw error;
      }
    },
  };
}

async function fetchBytes(uri: string): Promise<ArrayBuffer> {
  const response = await fetch(uri, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (!response.ok) throw new Error(`The JWKS endpoint answered ${response.status}.`);
  const bytes = new Uint8Array(maxJwksBytes);
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    if (sizeBytes + chunk.length > maxJwksBytes) throw new Error('The JWKS is longer than 64 KB.');
    bytes.set(chunk, sizeBytes);
    sizeBytes += chunk.length;
  }
  return bytes.buffer.slice(0, sizeBytes);
}
