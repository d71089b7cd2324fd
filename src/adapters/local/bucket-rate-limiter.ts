import type { RateLimits } from '../../core/limits/rate-limits.ts';
import { RecentMap } from '../../core/limits/recent-map.ts';
import { TenantBuckets } from '../../core/limits/tenant-buckets.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';

const maxTenants = 2000;

/**
 * A `RateLimiter` for one process that serves all calls: exact. It keeps the buckets of the 1000
 * tenants and 500 clients of each that called last, and at most of twice as many.
 */
export function bucketRateLimiter(
  limits: RateLimits,
  /** In whole ms, by a clock that never steps. */
  nowMs: () => number = monotonicMs,
): RateLimiter {
  const tenants = new RecentMap<TenantBuckets>(maxTenants);
  return {
    limits,
    take(tenant, client, part) {
      const atMs = nowMs();
      let buckets = tenants.get(tenant);
      if (buckets === undefined) {
        buckets = new TenantBuckets(limits, atMs);
        tenants.set(tenant, buckets);
      }
      return buckets.take(client, atMs, part);
    },
  };
}

/** Whole: of fractions, each would be an allocation. */
function monotonicMs(): number {
  return Math.floor(performance.now());
}
