import { createApi } from '../api/api.ts';
import type { ClientOptions } from './client-options.ts';
import { LivePolicies } from './live-policies.ts';
import type { PolicyClient } from './policy-client.ts';
import type { OpenCopy } from './rule-copy.ts';

/**
 * The rules of a channel, in this process, from now on: kept up to date in the background until it is
 * closed. Errors: `HmsError` when an option makes no sense.
 */
export function createClient(options: ClientOptions): PolicyClient {
  return openClient(options, undefined);
}

/** The same, with a copy that outlives the process. */
export function openClient(options: ClientOptions, openCopy: OpenCopy | undefined): PolicyClient {
  const { baseUrl, auth, fetch: fetchIt } = options;
  const api = createApi({
    baseUrl,
    ...(auth === undefined ? {} : { auth }),
    ...(fetchIt === undefined ? {} : { fetch: fetchIt }),
  });
  const policies = new LivePolicies(api, options, openCopy);
  policies.start();
  return policies;
}
