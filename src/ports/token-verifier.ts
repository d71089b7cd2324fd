import type { Principal } from '../core/identity/principal.ts';

/**
 * Turns a bearer token into who is calling, or refuses it.
 *
 * Accepts only a signed JWT access token (`token_use: access`) of the configured issuer, within
 * its `exp`, by a key of the issuer's JWKS, with a `tenant` claim. Errors: `Unauthenticated` for
 * every token it does not accept, with a message that names the reason and no part of the token;
 * `Unavailable` when the keys cannot be had.
 */
export interface TokenVerifier {
  verify(token: string): Promise<Principal>;
}
