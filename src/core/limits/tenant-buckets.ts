import type { Refusal } from '../../ports/rate-limiter.ts';
import type { RateLimits } from './rate-limits.ts';
import { RecentMap } from './recent-map.ts';
import type { SharedLevels, Use } from './shared-levels.ts';
import { TokenBucket, wholeCall } from './token-bucket.ts';

/** Of one tenant. Only who has been given a token counts as a client. */
const maxClients = 1000;

/** The buckets of one tenant: one for all of its calls, one for each client that called lately. */
export class TenantBuckets {
  readonly #limits: RateLimits;
  readonly #tenant: TokenBucket | null;
  readonly #clients = new RecentMap<TokenBucket>(maxClients);

  constructor(limits: RateLimits, nowMs: number) {
    this.#limits = limits;
    this.#tenant = limits.tenant === null ? null : new TokenBucket(limits.tenant, nowMs);
  }

  /** Takes a call, or a part of one, from both buckets, or, when one has none, from neither. */
  take(client: string, nowMs: number, part = 1): Refusal | null {
    const asked = part * wholeCall;
    const ofTenant = this.#tenant;
    const ofClient = this.#client(client, nowMs);
    const isOver =
      (ofTenant !== null && ofTenant.leftAt(nowMs) < asked) ||
      (ofClient !== null && ofClient.leftAt(nowMs) < asked);
    if (isOver) return refusal(ofTenant, ofClient, nowMs);
    ofTenant?.spend(part);
    ofClient?.spend(part);
    return null;
  }

  /** What all processes had left at `atMs`, and what this one let through after it said so. */
  learn(levels: SharedLevels, untold: Use, atMs: number, nowMs: number): void {
    if (levels.tenant !== null) {
      this.#tenant?.lower(levels.tenant - untold.calls * wholeCall, atMs, nowMs);
    }
    for (const [client, left] of levels.clients) {
      const since = (untold.byClient.get(client) ?? 0) * wholeCall;
      this.#client(client, nowMs)?.lower(left - since, atMs, nowMs);
    }
  }

  #client(client: string, nowMs: number): TokenBucket | null {
    const rate = this.#limits.client;
    if (rate === null) return null;
    const found = this.#clients.get(client);
    if (found !== undefined) return found;
    const bucket = new TokenBucket(rate, nowMs);
    this.#clients.set(client, bucket);
    return bucket;
  }
}

/** In the name of the one that takes longer. */
function refusal(tenant: TokenBucket | null, client: TokenBucket | null, nowMs: number): Refusal {
  const tenantMs = tenant?.waitMs(nowMs) ?? 0;
  const clientMs = client?.waitMs(nowMs) ?? 0;
  return clientMs > tenantMs
    ? { limit: 'client', waitMs: clientMs }
    : { limit: 'tenant', waitMs: tenantMs };
}
