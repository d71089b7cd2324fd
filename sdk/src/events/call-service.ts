import type { ApiRequest } from '../api/api.ts';
import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';

export interface CallServiceOptions
  extends Omit<ApiRequest, 'path' | 'signal' | 'retries' | 'timeoutMs' | 'maxBytes'>, CallOptions {}

/**
 * Calls a service by its name, through the gateway, which retries and finds another replica; so there
 * are no retries here. `path` is one of its routes, with every part encoded. The answer comes as it
 * is, with its body unread.
 * Errors: `ProblemError` for an answer of 400 or above, of the service or of the gateway.
 */
export async function callService(
  name: string,
  path: string,
  { connection, ...request }: CallServiceOptions = {},
): Promise<Response> {
  const below = path.replace(/^\//, '');
  return connect(connection).open({
    ...request,
    path: `/svc/${encodeURIComponent(name)}/${below}`,
  });
}
