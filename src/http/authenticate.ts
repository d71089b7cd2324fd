import { Forbidden, Unauthenticated } from '../core/errors/app-error.ts';
import type { Principal } from '../core/identity/principal.ts';
import { permits, type Scope } from '../core/identity/scopes.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';

const scheme = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The token of an `Authorization` header (RFC 6750, 2.1), or null. */
export function bearerToken(header: string | undefined): string | null {
  return header === undefined ? null : (scheme.exec(header)?.[1] ?? null);
}

/** Who is calling. Errors: `Unauthenticated`, `Forbidden` without the scope, `Unavailable`. */
export async function authenticate(
  verifier: TokenVerifier,
  header: string | undefined,
  scope: Scope,
): Promise<Principal> {
  const token = bearerToken(header);
  if (token === null) {
    throw new Unauthenticated('Send an access token as "Authorization: Bearer <token>".');
  }
  const principal = await verifier.verify(token);
  if (!permits(principal.scopes, scope)) {
    throw new Forbidden(`This call needs the scope hms/${scope}.`);
  }
  return principal;
}
