import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { serviceName } from '../service-schemas.ts';

const path = z.string().optional().meta({
  description:
    'The rest of the path, slashes included: one of the routes of the service, or below one. Without . or .. segments, empty ones, and escaped slashes.',
  example: 'check',
});

const description =
  'Goes to `{url}/{path}` of the service, with its query, end-to-end headers and body, and streams in ' +
  'both directions. The service learns who calls by `X-Hms-Tenant`, `X-Hms-Actor` and ' +
  '`X-Hms-Subject`, and never sees the token; how long the caller will wait, by ' +
  '`X-Hms-Timeout-Ms`, which the caller may lower. What is safe to repeat is tried again, also on ' +
  'other replicas and in the secondary region. A service that is red gets no calls: `503`.';

function callBy(id: string, method: Operation['method'], verb: string) {
  return {
    id,
    countedAs: 'callService',
    method,
    path: '/svc/{name}/{path}',
    part: 'gateway',
    relayed: true,
    scope: 'call:service',
    tag: 'Gateway',
    summary: `Call a service of one's own tenant: ${verb}`,
    description,
    params: z.object({ name: serviceName, path }),
    query: z.object({}),
    headers: z.object({}),
    responses: {
      200: {
        description: 'What the service answered, with any status of its own',
        contentTypes: ['*/*'],
      },
    },
    problems: ['not_found', 'bad_gateway', 'gateway_timeout'],
  } as const satisfies Operation;
}

/** Calls of services, whatever they do; `HEAD` goes with `GET`. Other methods are refused. */
export const gatewayOperations = {
  callService: callBy('callService', 'get', 'GET'),
  callServiceByPost: callBy('callServiceByPost', 'post', 'POST'),
  callServiceByPut: callBy('callServiceByPut', 'put', 'PUT'),
  callServiceByPatch: callBy('callServiceByPatch', 'patch', 'PATCH'),
  callServiceByDelete: callBy('callServiceByDelete', 'delete', 'DELETE'),
  callServiceByOptions: callBy('callServiceByOptions', 'options', 'OPTIONS'),
} as const satisfies Record<string, Operation>;
