import type { KeyObject } from 'node:crypto';

import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { SignJWT } from 'jose';

import { scopePrefix } from '../../core/identity/cognito-claims.ts';
import { scopes } from '../../core/identity/scopes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { clientDirectory } from './client-directory.ts';
import type { ClientDirectory, IssuerClient } from './client-directory.ts';
import { OAuthError } from './oauth-error.ts';
import { parseTokenRequest } from './token-request.ts';

interface IssuerDeps {
  /** The `iss` of tokens, and where this app is mounted, without a slash at the end. */
  readonly issuerUrl: string;
  readonly keys: {
    readonly kid: string;
    readonly privateKey: KeyObject;
    readonly jwks: { readonly keys: readonly object[] };
  };
  readonly clients: readonly IssuerClient[];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Ids;
}

const maxBodyBytes = 8 * 1024;
const tokenLifetimeS = 3600;
const tokenPath = '/oauth2/token';
const jwksPath = '/.well-known/jwks.json';
const metadataPath = '/.well-known/openid-configuration';

/**
 * The embedded OAuth 2.0 issuer: `POST /oauth2/token` for client credentials (RFC 6749), its JWKS
 * and its metadata. Access tokens have the shape of Cognito's, plus the client's `tenant`.
 */
export function createIssuer(deps: IssuerDeps): Hono {
  const app = new Hono();
  const directory = clientDirectory(deps.clients);

  app.post(tokenPath, bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }), async (c) => {
    try {
      return await issueToken(c, deps, directory);
    } catch (error) {
      if (error instanceof OAuthError) return refused(c, error);
      throw error;
    }
  });
  app.all(tokenPath, (c) => {
    c.header('Allow', 'POST');
    return refused(c, new OAuthError('invalid_request', 'Tokens are had by POST.', 405));
  });
  app.get(jwksPath, (c) => {
    c.header('Cache-Control', 'public, max-age=300');
    return c.json(deps.keys.jwks);
  });
  app.get(metadataPath, (c) => c.json(metadata(deps.issuerUrl)));
  return app;
}

async function issueToken(
  c: Context,
  deps: IssuerDeps,
  directory: ClientDirectory,
): Promise<Response> {
  const type = c.req.header('Content-Type') ?? '';
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(type)) {
    throw new OAuthError('invalid_request', 'The body must be application/x-www-form-urlencoded.');
  }
  const request = parseTokenRequest(await c.req.text(), c.req.header('Authorization'));
  const client = directory(request.clientId, request.clientSecret);
  if (client === undefined) {
    throw new OAuthError('invalid_client', 'The client is unknown, or its secret is wrong.');
  }
  const scope = grantedScope(client, request.scopes);
  noStore(c);
  return c.json({
    access_token: await signAccessToken(client, scope, deps),
    token_type: 'Bearer',
    expires_in: tokenLifetimeS,
    scope,
  });
}

function grantedScope(client: IssuerClient, asked: ReadonlySet<string> | undefined): string {
  const granted = asked ?? new Set(client.scopes);
  if ([...granted].some((scope) => !client.scopes.includes(scope))) {
    throw new OAuthError('invalid_scope', 'The client may not have that scope.');
  }
  return [...granted].join(' ');
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html */
async function signAccessToken(
  client: IssuerClient,
  scope: string,
  { issuerUrl, keys, clock, ids }: IssuerDeps,
): Promise<string> {
  const nowS = Math.floor(clock.nowMs() / 1000);
  const claims = {
    sub: client.clientId,
    token_use: 'access',
    scope,
    auth_time: nowS,
    iss: issuerUrl,
    exp: nowS + tokenLifetimeS,
    iat: nowS,
    version: 2,
    jti: ids.next(),
    client_id: client.clientId,
    tenant: client.tenant,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ kid: keys.kid, alg: 'RS256' })
    .sign(keys.privateKey);
}

/** RFC 8414, with what OpenID Connect Discovery demands on top. */
function metadata(issuerUrl: string) {
  return {
    issuer: issuerUrl,
    token_endpoint: issuerUrl + tokenPath,
    jwks_uri: issuerUrl + jwksPath,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    scopes_supported: Object.keys(scopes).map((scope) => scopePrefix + scope),
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}

function tooLarge(c: Context): Response {
  return refused(c, new OAuthError('invalid_request', 'The body is larger than 8 KB.', 413));
}

/** RFC 6749 section 5.2. */
function refused(c: Context, error: OAuthError): Response {
  noStore(c);
  if (error.status === 401) c.header('WWW-Authenticate', 'Basic realm="hms"');
  return c.json({ error: error.code, error_description: error.message }, error.status);
}

function noStore(c: Context): void {
  c.header('Cache-Control', 'no-store');
  c.header('Pragma', 'no-cache');
}
