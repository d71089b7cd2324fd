import { type AppError, InvalidRequest, NotFound, ServiceFailed } from '../errors/app-error.ts';
import type { ServiceHealth } from '../registry/service-health.ts';
import type { ServiceManifest } from '../registry/service-record.ts';
import type { TryFailure } from './retry-rules.ts';

export function noRoute(service: string): NotFound {
  return new NotFound(`The service "${service}" has no route for this path.`);
}

/** Its next probe may say something else. */
export function redService({ name, health }: ServiceManifest, { reason }: ServiceHealth): AppError {
  return notNow(`The service "${name}" is red: ${reason}.`, health.intervalS);
}

/** Every target that is up is busy, or its circuit is open for so long. */
export function nowhereToSend(service: string, waitMs: number): AppError {
  const why = waitMs > 0 ? 'failed too often, and is left alone for a while' : 'is too busy';
  return notNow(`The service "${service}" ${why}.`, Math.max(1, Math.ceil(waitMs / 1000)));
}

/** What the caller is told when the last try was in vain; `isCallers`: it waited no longer. */
export function calledInVain(
  service: string,
  { failure, reason }: { readonly failure: TryFailure; readonly reason: string },
  isCallers: boolean,
): AppError {
  return saying[failure](`The service "${service}"`, reason, isCallers);
}

const mayBeDone = 'It may have done what was asked.';
const unsound = (who: string, reason: string): AppError =>
  new ServiceFailed('bad_gateway', `${who} gave no sound answer: ${reason}. ${mayBeDone}`);

type Saying = (who: string, reason: string, isCallers: boolean) => AppError;

const saying: Readonly<Record<TryFailure, Saying>> = {
  // Nobody reads it, or the body of the request broke off.
  cancelled: () => new InvalidRequest('The request broke off.'),
  not_sent: (who, reason) => notNow(`${who} cannot be reached: ${reason}. Nothing was sent.`, 1),
  timed_out: (who, _reason, isCallers) =>
    new ServiceFailed('gateway_timeout', `${who} did not answer in time. ${mayBeDone}`, {
      isCallers,
    }),
  unanswered: unsound,
  broke_off: unsound,
  bad_status: unsound,
};

function notNow(message: string, retryAfterS: number): AppError {
  return new ServiceFailed('unavailable', message, { retryAfterS });
}
