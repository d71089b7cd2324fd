import type { CallFailure } from '../../ports/service-caller.ts';
import { gatewayLimits } from './gateway-limits.ts';

/** How a try went wrong: no whole answer, or one of the statuses that gateways give. */
export type TryFailure = CallFailure | 'broke_off' | 'bad_status';

/** What has been tried, and whether it can be tried again. */
export interface FailedTry {
  readonly failure: TryFailure;
  readonly method: string;
  /** Whether all of the request body is still there. */
  readonly canReplay: boolean;
  /** So far, this one included. */
  readonly tries: number;
}

/** RFC 9110, 9.2.2; not TRACE, which is not passed on. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether an answer with this status says that the service itself did not get to answer. */
export function isBadStatus(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/**
 * Whether the call may be sent once more: what never left can always, and what may have been done
 * only when doing it twice is the same as once. Not after a timeout: the time was that of all tries.
 */
export function mayRetry({ failure, method, canReplay, tries }: FailedTry): boolean {
  if (!canReplay || tries >= gatewayLimits.maxTries) return false;
  if (failure === 'cancelled' || failure === 'timed_out') return false;
  return failure === 'not_sent' || idempotentMethods.has(method);
}

const backOff = { baseMs: 25, maxMs: 250 };

/**
 * How long to wait before the next try, in ms: full jitter, so that calls that failed together do
 * not come back together. What never left goes elsewhere at once, the first time.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function retryDelayMs(
  { failure, tries }: Pick<FailedTry, 'failure' | 'tries'>,
  random: () => number = Math.random,
): number {
  if (failure === 'not_sent' && tries === 1) return 0;
  return Math.round(random() * Math.min(backOff.maxMs, backOff.baseMs * 2 ** tries));
}
