import { Unavailable } from '../../core/errors/app-error.ts';

// As the SDK sorts them: @smithy/core, submodules/retry/service-error-classification/constants.js
const transientNames = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
const networkCodes = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * What to throw for an error of the AWS SDK: `Unavailable` where the service was throttled, broken
 * or out of reach, so that the call may or may not have been done; else the error as it came.
 */
export function awsError(error: unknown, service: string): unknown {
  return isTransient(error)
    ? new Unavailable(`${service} did not answer. Try again.`, error)
    : error;
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (transientNames.has(error.name)) return true;
  if ('code' in error && networkCodes.has(String(error.code))) return true;
  return statusOf(error) >= 500;
}

function statusOf(error: Error): number {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object') return 0;
  const metadata: { httpStatusCode?: unknown } = error.$metadata ?? {};
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}
