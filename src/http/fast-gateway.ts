import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { gatewayOperations } from '../contract/operations/gateway-operations.ts';
import type { Deps } from '../core/deps.ts';
import type { GatewayAnswer, GatewayCall } from '../core/gateway/gateway-call.ts';
import { gatewayLimits } from '../core/gateway/gateway-limits.ts';
import type { ServiceGateway } from '../core/gateway/service-gateway.ts';
import type { CachedVerifier } from '../core/identity/cached-verifier.ts';
import type { Principal } from '../core/identity/principal.ts';
import { permits } from '../core/identity/scopes.ts';
import { continueTrace } from '../core/tracing/trace-context.ts';
import type { RateLimiter } from '../ports/rate-limiter.ts';
import { problemReply } from './problem-reply.ts';
import { requestIdOf } from './request-id.ts';

export interface FastGatewayDeps extends Pick<Deps, 'ids' | 'log' | 'metrics'> {
  readonly verifier: Pick<CachedVerifier, 'peek'>;
  readonly gateway: ServiceGateway;
  /** Without it, callers may call as often as they like. */
  readonly limiter?: RateLimiter;
}

const plainTarget = /^\/svc\/([a-z][a-z0-9-]{0,62})(?=[/?]|$)/;
const plainHost = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const scheme = 'Bearer ';
/** The ids of the operations, by method. */
const operations: ReadonlyMap<string, string> = new Map([
  ['HEAD', gatewayOperations.callService.id],
  ...Object.values(gatewayOperations).map(({ method, id }): [string, string] => [
    method.toUpperCase(),
    id,
  ]),
]);

/**
 * Answers a call of a service before any router, as the app would: for a token in memory, and no
 * body or a short one. False for everything else: the app answers that, refusals included.
 */
export function fastGateway(
  deps: FastGatewayDeps,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method = '', url = '', headers, socket } = request;
  const service = url.startsWith('/svc/') ? plainTarget.exec(url)?.[1] : undefined;
  const operation = operations.get(method);
  const { host = '', authorization = '' } = headers;
  if (service === undefined || operation === undefined || !plainHost.test(host)) return false;
  if (!authorization.startsWith(scheme) || headers.upgrade !== undefined) return false;
  const sizeBytes = shortBody(request);
  if (sizeBytes === null) return false;
  const principal = deps.verifier.peek(authorization.slice(scheme.length));
  if (principal === undefined || !permits(principal.scopes, 'call:service')) return false;
  // Last: what the app answers instead, it counts itself.
  const { limiter } = deps;
  if (limiter !== undefined && limiter.take(principal.tenant, principal.actor) !== null)
    return false;
  const away = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) away.abort();
  });
  const call: GatewayCall & { readonly principal: Principal } = {
    principal,
    requestId: requestIdOf(textOf(headers['x-request-id']), deps.ids),
    trace: continueTrace(textOf(headers['traceparent']), textOf(headers['tracestate'])),
    service,
    method,
    target: url.slice('/svc/'.length + service.length),
    headers: Object.entries(headers).map(([name, value = '']) => [name, String(value)]),
    body: sizeBytes === 0 ? null : { sizeBytes, chunks: request as AsyncIterable<Uint8Array> },
    from: { address: socket.remoteAddress, scheme: 'http', host },
    signal: away.signal,
  };
  answer(deps, call, operation, response).catch((error: unknown) => {
    deps.log.error('request failed', { ...aboutCall(call), error });
    response.destroy();
  });
  return true;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function aboutCall({ requestId, trace, principal, service }: GatewayCall) {
  const { tenant } = principal;
  return { requestId, traceId: trace.traceId, tenant, params: { name: service } };
}

/** Its size; null when that is not known, or more than what is read before it is sent on. */
function shortBody({ method, headers }: IncomingMessage): number | null {
  if (method === 'GET' || method === 'HEAD') return 0;
  if (headers['transfer-encoding'] !== undefined) return null;
  const sizeBytes = Number(headers['content-length'] ?? 0);
  return sizeBytes <= gatewayLimits.maxReplayBytes ? sizeBytes : null;
}

async function answer(
  { gateway, log, metrics }: FastGatewayDeps,
  call: GatewayCall,
  operation: string,
  response: ServerResponse,
): Promise<void> {
  const startedMs = performance.now();
  const { requestId, method, principal } = call;
  const own = { 'x-content-type-options': 'nosniff', 'x-request-id': requestId };
  let made: GatewayAnswer;
  try {
    made = await gateway(call);
    if (method !== 'GET') {
      log.info(operation, {
        ...aboutCall(call),
        actor: principal.actor,
        status: made.status,
      });
    }
  } catch (error) {
    const reply = problemReply(error, requestId, log, () => aboutCall(call));
    const { status, headers, body, ofService } = reply;
    const text = typeof body === 'string' ? body : '';
    const length = { 'content-length': String(Buffer.byteLength(text)) };
    response.writeHead(status, { ...headers, ...own, ...length });
    response.end(method === 'HEAD' ? undefined : text);
    metrics.requestDone('callService', status, performance.now() - startedMs, ofService);
    return;
  }
  metrics.requestDone('callService', made.status, performance.now() - startedMs, true);
  await send(made, own, response);
}

async function send(
  { status, headers, body, discard }: GatewayAnswer,
  own: Readonly<Record<string, string>>,
  response: ServerResponse,
): Promise<void> {
  const sizeBytes = body instanceof Uint8Array ? body.byteLength : (body?.sizeBytes ?? null);
  const length = sizeBytes === null ? {} : { 'content-length': String(sizeBytes) };
  response.writeHead(status, { ...headers, ...own, ...length });
  if (body === null || body instanceof Uint8Array) {
    response.end(body ?? undefined);
    return;
  }
  response.flushHeaders();
  try {
    // Cuts the connection where the answer breaks off, and ends the call where the connection does.
    await pipeline(body.chunks, response);
  } catch {
    response.destroy();
  } finally {
    discard();
  }
}
