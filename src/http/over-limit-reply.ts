import { AppError } from '../core/errors/app-error.ts';
import type { Rate, RateLimits } from '../core/limits/rate-limits.ts';
import type { Log } from '../ports/log.ts';
import type { Refusal } from '../ports/rate-limiter.ts';
import { problemReply } from './problem-reply.ts';
import type { Reply } from './reply.ts';

const who = {
  tenant: 'All clients of this tenant together make too many calls',
  client: 'This client makes too many calls',
} as const satisfies Record<Refusal['limit'], string>;

/**
 * The refusal of a call that is over a limit, with the headers of
 * https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
 */
export function overLimitReply(
  { limit, waitMs }: Refusal,
  limits: RateLimits,
  requestId: string,
  log: Log,
): Reply {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000));
  const detail = `${who[limit]}: wait ${retryAfterS} s, and then call more slowly.`;
  const error = new AppError('too_many_requests', detail, { retryable: true, retryAfterS });
  const { status, headers, body } = problemReply(error, requestId, log);
  const ratelimit = `"${limit}";r=0;t=${retryAfterS}`;
  const policies = { 'ratelimit-policy': policiesOf(limits), ratelimit };
  return { status, headers: { ...headers, ...policies }, body };
}

/** `"tenant";q=4000;w=2, "client";q=1000;w=2`: whoever keeps to it is not refused. */
function policiesOf(limits: RateLimits): string {
  return (['tenant', 'client'] as const).flatMap((name) => policyOf(name, limits[name])).join(', ');
}

/** A bucket fills in `burst / perSecond`: so much time, for as much as it holds. */
function policyOf(name: keyof RateLimits, rate: Rate | null): string[] {
  if (rate === null) return [];
  return [`"${name}";q=${rate.burst};w=${Math.ceil(rate.burst / rate.perSecond)}`];
}
