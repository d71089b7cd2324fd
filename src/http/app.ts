import { Hono } from 'hono';
import type { Deps } from '../core/deps.ts';
import { AppError, NotFound } from '../core/errors/app-error.ts';
import type { Principal } from '../core/identity/principal.ts';
import type { Scope } from '../core/identity/scopes.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import { authenticate } from './authenticate.ts';
import { problemReply } from './problem-reply.ts';
import { parseBody, parseHeaders, parsePart, parseQuery } from './read-request.ts';
import type { Reply } from './reply.ts';
import type { Call, Route } from './route.ts';

export interface AppDeps extends Pick<Deps, 'ids' | 'log' | 'metrics'> {
  /** Not needed where every route is open. */
  readonly verifier?: TokenVerifier;
  /** What a gateway takes off the path before we see it, such as `/v1`. */
  readonly basePath?: string;
}

const requestIdShape = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The HTTP side of the routes: who is calling, what they ask, and every failure as a problem.
 * The same app serves embedded and on Lambda.
 */
export function createApp(deps: AppDeps, routes: readonly Route[]): Hono {
  const app = new Hono();
  for (const each of routes) {
    const path = each.operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(each.operation.method.toUpperCase(), path, (context) =>
      answer(deps, each, context.req.raw, context.req.param()),
    );
  }
  app.notFound((context) =>
    measured(deps, 'unknown', context.req.raw, async (requestId) =>
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
): Promise<Response> {
  return measured(deps, operation.id, request, async (requestId) => {
    const { scope } = operation;
    // First of all: who is not allowed to call learns nothing, not even what is malformed.
    const principal = scope === null ? null : await caller(deps, request, scope);
    const call = {
      principal,
      requestId,
      params: parsePart(operation.params, params, 'path'),
      query: parseQuery(operation, new URL(request.url)),
      headers: parseHeaders(operation, request.headers),
      body: await parseBody(operation.body, request),
    };
    const reply = await handle(call as Call);
    if (request.method !== 'GET') {
      const { tenant, actor } = principal ?? {};
      deps.log.info(operation.id, { requestId, tenant, actor, params, status: reply.status });
    }
    return reply;
  });
}

async function caller(deps: AppDeps, request: Request, scope: Scope): Promise<Principal> {
  if (deps.verifier === undefined) throw new Error('This app has no verifier for its routes.');
  return authenticate(deps.verifier, request.headers.get('authorization') ?? undefined, scope);
}

/** Runs one call to its end: a reply or a problem, counted, under a request id. */
async function measured(
  deps: AppDeps,
  operation: string,
  request: Request,
  run: (requestId: string) => Promise<Reply>,
): Promise<Response> {
  const startedMs = performance.now();
  const given = request.headers.get('x-request-id');
  const requestId = given !== null && requestIdShape.test(given) ? given : deps.ids.next();
  let reply: Reply;
  try {
    reply = await run(requestId);
  } catch (error) {
    reply = problemReply(error, requestId, deps.log);
  }
  deps.metrics.requestDone(operation, reply.status, performance.now() - startedMs);
  const body = request.method === 'HEAD' ? null : reply.body;
  if (body === null && reply.body instanceof ReadableStream) await reply.body.cancel();
  const { location } = reply.headers;
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    status: reply.status,
    headers: {
      ...reply.headers,
      ...(location === undefined ? {} : { location: (deps.basePath ?? '') + location }),
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
  });
}

function noRoute(deps: AppDeps, routes: readonly Route[], path: string, requestId: string): Reply {
  const segments = path.split('/');
  const methods = routes
    .filter(({ operation }) => fits(operation.path.split('/'), segments))
    .map(({ operation }) => operation.method.toUpperCase())
    .flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method]));
  if (methods.length === 0) throw new NotFound('There is nothing at this path. See /docs.');
  const allow = [...new Set(methods)].join(', ');
  const error = new AppError('method_not_allowed', `Allowed here: ${allow}.`);
  const reply = problemReply(error, requestId, deps.log);
  return { ...reply, headers: { ...reply.headers, allow } };
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) =>
      part.startsWith('{') ? segments[index] !== '' : part === segments[index],
    )
  );
}
