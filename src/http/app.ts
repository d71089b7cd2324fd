import { Hono } from 'hono';
import type { Operation } from '../contract/operation.ts';
import type { Deps } from '../core/deps.ts';
import { AppError, NotFound } from '../core/errors/app-error.ts';
import type { Principal } from '../core/identity/principal.ts';
import type { Scope } from '../core/identity/scopes.ts';
import type { TraceContext } from '../core/tracing/trace-context.ts';
import type { RateLimiter } from '../ports/rate-limiter.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import { authenticate } from './authenticate.ts';
import { overLimitReply } from './over-limit-reply.ts';
import { problemReply } from './problem-reply.ts';
import { parseBody, parseHeaders, parsePart, parseQuery } from './read-request.ts';
import { relayedRequest } from './relayed-request.ts';
import type { Reply } from './reply.ts';
import { requestIdOf } from './request-id.ts';
import { type PlatformTrace, requestTrace } from './request-trace.ts';
import type { Call, Route } from './route.ts';

export interface AppDeps extends Pick<Deps, 'ids' | 'log' | 'metrics'> {
  /** Not needed where every route is open. */
  readonly verifier?: TokenVerifier;
  /** Without it, callers may call as often as they like. */
  readonly limiter?: RateLimiter;
  /** What a gateway takes off the path before we see it, such as `/v1`. */
  readonly basePath?: string;
  /** Where the platform traces calls by itself, and that is to be gone on with. */
  readonly platformTrace?: PlatformTrace;
}

/** What the log tells of a call, as soon as it is known. */
interface CallUnderWay {
  readonly requestId: string;
  readonly trace: TraceContext;
  tenant?: string;
}

/**
 * The HTTP side of the routes: who is calling, what they ask, and every failure as a problem.
 * The same app serves embedded and on Lambda.
 */
export function createApp(deps: AppDeps, routes: readonly Route[]): Hono {
  const app = new Hono();
  for (const each of routes) {
    app.on(each.operation.method.toUpperCase(), patternsOf(each.operation), (context) =>
      answer(deps, each, context.req.raw, context.req.param(), context.env),
    );
  }
  app.notFound((context) =>
    measured(deps, 'unknown', context.req.raw, async ({ requestId }) =>
      noRoute(deps, routes, context.req.path, requestId),
    ),
  );
  // What breaks outside of a call is a problem as well, not a text of the router's.
  app.onError((error, context) =>
    measured(deps, 'unknown', context.req.raw, async () => {
      throw error;
    }),
  );
  return app;
}

async function answer(
  deps: AppDeps,
  { operation, handle }: Route,
  request: Request,
  params: Record<string, string>,
  env: unknown,
): Promise<Response> {
  const { scope, countedAs = operation.id } = operation;
  const isRelayed = operation.relayed === true;
  return measured(deps, countedAs, request, async (underWay) => {
    const { requestId } = underWay;
    // First of all: who is not allowed to call learns nothing, not even what is malformed.
    const principal = scope === null ? null : await caller(deps, request, scope);
    const { tenant, actor } = principal ?? {};
    if (tenant !== undefined) underWay.tenant = tenant;
    const over = principal === null ? null : overLimit(deps, principal, requestId);
    if (over !== null) return over;
    const call = {
      principal,
      requestId,
      params: parsePart(operation.params, params, 'path'),
      query: isRelayed ? {} : parseQuery(operation, new URL(request.url)),
      headers: parseHeaders(operation, request.headers),
      body: await parseBody(operation.body, request),
      relayed: isRelayed ? relayedRequest(request, env) : undefined,
      // Made when they are asked for: few calls tell of their trace, or wait.
      get trace() {
        return underWay.trace;
      },
      get signal() {
        return request.signal;
      },
    };
    const reply = await handle(call as Call);
    if (request.method !== 'GET') {
      // What the path of another service holds is not ours to write down.
      const said = isRelayed ? { name: params['name'] } : params;
      const { traceId } = underWay.trace;
      const { status, snapshot } = reply;
      const about = snapshot === undefined ? {} : { snapshot };
      const fields = { requestId, traceId, tenant, actor, params: said, ...about, status };
      deps.log.info(operation.id, fields);
    }
    return reply;
  });
}

async function caller(deps: AppDeps, request: Request, scope: Scope): Promise<Principal> {
  if (deps.verifier === undefined) throw new Error('This app has no verifier for its routes.');
  return authenticate(deps.verifier, request.headers.get('authorization') ?? undefined, scope);
}

/** Counts the call; the answer when there were too many before it. */
function overLimit({ limiter, log }: AppDeps, who: Principal, requestId: string): Reply | null {
  const refusal = limiter?.take(who.tenant, who.actor) ?? null;
  if (limiter === undefined || refusal === null) return null;
  return overLimitReply(refusal, limiter.limits, requestId, log);
}

/** Runs one call to its end: a reply or a problem, counted, under a request id. */
async function measured(
  deps: AppDeps,
  operation: string,
  request: Request,
  run: (call: CallUnderWay) => Promise<Reply>,
): Promise<Response> {
  const startedMs = performance.now();
  const requestId = requestIdOf(request.headers.get('x-request-id'), deps.ids);
  const trace = requestTrace((name) => request.headers.get(name), deps.platformTrace);
  const underWay: CallUnderWay = {
    requestId,
    get trace() {
      return trace();
    },
  };
  let reply: Reply;
  try {
    reply = await run(underWay);
  } catch (error) {
    const about = () => ({ traceId: trace().traceId, tenant: underWay.tenant, operation });
    reply = problemReply(error, requestId, deps.log, about);
  }
  const durationMs = performance.now() - startedMs;
  deps.metrics.requestDone(operation, reply.status, durationMs, reply.ofService);
  const body = request.method === 'HEAD' ? null : reply.body;
  if (body === null && reply.body instanceof ReadableStream) await reply.body.cancel();
  const { location } = reply.headers;
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    status: reply.status,
    headers: {
      ...reply.headers,
      ...(location?.startsWith('/') === true ? { location: (deps.basePath ?? '') + location } : {}),
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
  });
}

function noRoute(deps: AppDeps, routes: readonly Route[], path: string, requestId: string): Reply {
  const segments = path.split('/');
  const methods = routes
    .filter(({ operation }) => fits(operation, segments))
    .map(({ operation }) => operation.method.toUpperCase())
    .flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method]));
  if (methods.length === 0) throw new NotFound('There is nothing at this path. See /docs.');
  const allow = [...new Set(methods)].join(', ');
  const error = new AppError('method_not_allowed', `Allowed here: ${allow}.`);
  const reply = problemReply(error, requestId, deps.log);
  return { ...reply, headers: { ...reply.headers, allow } };
}

/** As the router has them: also `/svc/:name` and `/svc/:name/:path{[^]*}`, of what is relayed. */
function patternsOf({ path, relayed }: Operation): string[] {
  const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
  return relayed === true
    ? [pattern.slice(0, pattern.lastIndexOf('/')), `${pattern}{[^]*}`]
    : [pattern];
}

function fits({ path, relayed }: Operation, segments: readonly string[]): boolean {
  const pattern = path.split('/');
  const isGreedy = relayed === true;
  const fixed = isGreedy ? pattern.slice(0, -1) : pattern;
  return (
    (isGreedy ? segments.length >= fixed.length : segments.length === fixed.length) &&
    fixed.every((part, index) =>
      part.startsWith('{') ? segments[index] !== '' : part === segments[index],
    )
  );
}
