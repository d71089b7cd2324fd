import { OAuthError } from './oauth-error.ts';

/** An access token request with the grant `client_credentials` (RFC 6749 section 4.4.2). */
interface TokenRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Undefined: all that the client may have. */
  readonly scopes: ReadonlySet<string> | undefined;
}

/** RFC 6749 section 3.3. */
const scopePattern = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;

/** Errors: `OAuthError`. */
export function parseTokenRequest(body: string, authorization: string | undefined): TokenRequest {
  const parameters = parseForm(body);
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) {
    throw new OAuthError('invalid_request', 'grant_type is missing.');
  }
  if (grantType !== 'client_credentials') {
    throw new OAuthError('unsupported_grant_type', 'The only grant type is client_credentials.');
  }
  return { ...credentials(parameters, authorization), scopes: parseScope(parameters.get('scope')) };
}

/** Without the parameters that have no value: those count as absent (RFC 6749 section 3.1). */
function parseForm(body: string): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (all.has(name)) throw new OAuthError('invalid_request', 'A parameter is there twice.');
    all.set(name, value);
  }
  return new Map([...all].filter(([, value]) => value !== ''));
}

function parseScope(scope: string | undefined): ReadonlySet<string> | undefined {
  if (scope === undefined) return undefined;
  if (!scopePattern.test(scope)) {
    throw new OAuthError('invalid_scope', 'scope is a list with single spaces in between.');
  }
  return new Set(scope.split(' '));
}

function credentials(
  parameters: ReadonlyMap<string, string>,
  authorization: string | undefined,
): Pick<TokenRequest, 'clientId' | 'clientSecret'> {
  const clientId = parameters.get('client_id');
  const clientSecret = parameters.get('client_secret');
  if (authorization === undefined) {
    if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
    throw new OAuthError('invalid_client', 'Send a client id and a client secret.');
  }
  const basic = parseBasic(authorization);
  // RFC 6749 section 2.3: one way to authenticate for each request.
  if (clientSecret !== undefined || (clientId !== undefined && clientId !== basic.clientId)) {
    throw new OAuthError('invalid_request', 'Authenticate by the header or by the body, not both.');
  }
  return basic;
}

function parseBasic(authorization: string): Pick<TokenRequest, 'clientId' | 'clientSecret'> {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const [, clientId, clientSecret] = /^([^:]+):(.+)$/.exec(text)?.map(formDecoded) ?? [];
  if (clientId === undefined || clientSecret === undefined) {
    throw new OAuthError('invalid_client', 'The Authorization header is not HTTP Basic.');
  }
  return { clientId, clientSecret };
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are put together. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
