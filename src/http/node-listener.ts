import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Deps } from '../core/deps.ts';
import { fastRule } from './fast-rule.ts';
import { problemReply } from './problem-reply.ts';
import type { Reply } from './reply.ts';

type ListenerDeps = Pick<
  Deps,
  'records' | 'blobs' | 'clock' | 'verifier' | 'ids' | 'log' | 'metrics'
>;
type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const rulePrefix = '/api/policies/';

/** Serves the app with `node:http`; the hottest call is answered before any router. */
export function nodeListener(deps: ListenerDeps, app: Hono): Listener {
  const toApp = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => {
    if (request.method === 'GET' && request.url?.startsWith(rulePrefix) === true) {
      void answerRule(deps, request, response, toApp);
    } else {
      void toApp(request, response);
    }
  };
}

async function answerRule(
  deps: ListenerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  toApp: ReturnType<typeof getRequestListener>,
): Promise<void> {
  const startedMs = performance.now();
  const { headers } = request;
  const channel = headers['x-channel'];
  let reply: Reply | null;
  try {
    reply = await fastRule(deps, {
      method: 'GET',
      target: request.url ?? '',
      authorization: headers.authorization,
      channel: Array.isArray(channel) ? channel.join() : channel,
      ifNoneMatch: headers['if-none-match'],
    });
  } catch (error) {
    reply = failure(error, deps);
  }
  if (reply === null) return void toApp(request, response);
  const { status, headers: replied, body } = reply;
  const length = typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : null;
  response.writeHead(status, length === null ? replied : { ...replied, ...length });
  response.end(body);
  deps.metrics.requestDone('getPolicy', reply.status, performance.now() - startedMs);
}

/** What the app adds to every reply is needed most where it is a problem. */
function failure(error: unknown, { ids, log }: Pick<Deps, 'ids' | 'log'>): Reply {
  const requestId = ids.next();
  const { headers, ...problem } = problemReply(error, requestId, log);
  const added = { 'x-content-type-options': 'nosniff', 'x-request-id': requestId };
  return { ...problem, headers: { ...headers, ...added } };
}
