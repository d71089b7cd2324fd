import type { Clock } from '../../ports/clock.ts';
import type { TokenVerifier } from '../../ports/token-verifier.ts';
import type { Principal } from './principal.ts';

/** Enough of a token's signature to tell it from all others: hashing all of it costs 1 µs. */
const keyLength = 32;

export interface CachedVerifier extends TokenVerifier {
  /** Who a token stands for, if it was verified before and is still good: one look-up, no waiting. */
  peek(token: string): Principal | undefined;
}

/**
 * Verifies each token once, and remembers the good ones until they expire, at most `maxTokens` of
 * them; the one verified first makes room. Refused tokens leave nothing behind, so only what an
 * issuer has signed takes up memory. Concurrent verifications of one token are one.
 */
export function cachedVerifier(
  verifier: TokenVerifier,
  clock: Pick<Clock, 'nowMs'>,
  { maxTokens }: { readonly maxTokens: number },
): CachedVerifier {
  const good = new Map<string, { readonly token: string; readonly principal: Principal }>();
  const pending = new Map<string, Promise<Principal>>();

  function peek(token: string): Principal | undefined {
    const key = token.slice(-keyLength);
    const found = good.get(key);
    if (found === undefined || found.token !== token) return undefined;
    if (clock.nowMs() < found.principal.expiresAtMs) return found.principal;
    good.delete(key);
    return undefined;
  }

  function remember(token: string, principal: Principal): void {
    good.set(token.slice(-keyLength), { token, principal });
    if (good.size <= maxTokens) return;
    const [oldest] = good.keys();
    if (oldest !== undefined) good.delete(oldest);
  }

  async function check(token: string): Promise<Principal> {
    const principal = await verifier.verify(token);
    remember(token, principal);
    return principal;
  }

  async function verify(token: string): Promise<Principal> {
    const known = peek(token) ?? pending.get(token);
    if (known !== undefined) return known;
    const checking = check(token);
    pending.set(token, checking);
    try {
      return await checking;
    } finally {
      pending.delete(token);
    }
  }

  return { peek, verify };
}
