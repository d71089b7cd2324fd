import type { RateLimits } from '../core/limits/rate-limits.ts';

/** Why a call may not go on now. */
export interface Refusal {
  /** Which limit is used up: that of the whole tenant, or that of this client. */
  readonly limit: 'tenant' | 'client';
  /** How long until one call may go on, if nobody else takes it; above 0. */
  readonly waitMs: number;
}

/**
 * Counts calls by tenant and client, and says when there are too many: a token bucket for each.
 *
 * Answers from memory, at once, whatever else it may have to find out: a call never waits for it.
 * It never throws; what it cannot find out lets calls through. A call that is refused uses up
 * nothing. One client that is over its limit takes nothing from the others of its tenant, and a
 * tenant nothing from other tenants.
 *
 * Each adapter says how exact it is. All keep to the limits on average.
 */
export interface RateLimiter {
  readonly limits: RateLimits;
  /**
   * Counts one call, or a `part` of one, above 0 and at most 1, in whole thousandths. Null: it may go
   * on, and nothing was allocated to say so.
   */
  take(tenant: string, client: string, part?: number): Refusal | null;
}
