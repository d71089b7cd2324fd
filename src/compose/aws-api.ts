import { sharedRateLimiter } from '../adapters/runtime/shared-rate-limiter.ts';
import type { Deps } from '../core/deps.ts';
import { rateFrom } from '../core/limits/rate-limits.ts';
import type { RateLimiter } from '../ports/rate-limiter.ts';
import type { PlatformTrace } from '../http/request-trace.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime, awsVerifier } from './aws-runtime.ts';
import { lazyAwsBlobs } from './lazy-aws-blobs.ts';

type RuntimeDeps = Pick<Deps, 'clock' | 'ids' | 'log' | 'metrics' | 'signal' | 'records'>;

interface ApiDeps extends RuntimeDeps, Pick<Deps, 'blobs' | 'verifier'> {
  readonly basePath: string;
  readonly limiter?: RateLimiter;
  readonly platformTrace: PlatformTrace;
}

/** What a function needs that answers calls. */
export function awsApi(): ApiDeps {
  const deps = { ...awsRuntime(), records: awsRecords() };
  return {
    ...deps,
    ...limiterOf(deps),
    blobs: lazyAwsBlobs(),
    verifier: awsVerifier(),
    basePath: process.env['HMS_BASE_PATH'] ?? '',
    // As Lambda has it for the call at hand.
    platformTrace: () => process.env['_X_AMZN_TRACE_ID'],
  };
}

/** Functions that may write nothing count nothing: the stack sets no limits for them. */
function limiterOf(deps: RuntimeDeps): Pick<ApiDeps, 'limiter'> {
  const limit = (name: string) => rateFrom(name, process.env[name], null);
  const limits = {
    tenant: limit('HMS_RATE_LIMIT_TENANT'),
    client: limit('HMS_RATE_LIMIT_CLIENT'),
  };
  if (limits.tenant === null && limits.client === null) return {};
  return { limiter: sharedRateLimiter(deps, limits) };
}
