import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ServiceGateway } from '../core/gateway/service-gateway.ts';
import { fastGateway, type FastGatewayDeps } from './fast-gateway.ts';
import { type InMemory, ruleAtHand } from './fast-rule.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type ListenerDeps = InMemory &
  Omit<FastGatewayDeps, 'gateway'> & {
    /** Without it, calls of services are the app's alone. */
    readonly gateway?: ServiceGateway;
  };

const rulePrefix = '/api/policies/';

/** Serves the app with `node:http`; the hottest calls are answered before any router. */
export function nodeListener(deps: ListenerDeps, app: Hono): Listener {
  const toApp = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const { gateway } = deps;
  const calls = gateway === undefined ? undefined : { ...deps, gateway };
  return (request, response) => {
    if (answeredAtOnce(deps, request, response)) return;
    if (calls !== undefined && fastGateway(calls, request, response)) return;
    void toApp(request, response);
  };
}

function answeredAtOnce(
  deps: ListenerDeps,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url: target } = request;
  if (method !== 'GET' || target?.startsWith(rulePrefix) !== true) return false;
  const startedMs = performance.now();
  const { headers } = request;
  const channel = headers['x-channel'];
  const reply = ruleAtHand(deps, {
    method,
    target,
    authorization: headers.authorization,
    channel: Array.isArray(channel) ? channel.join() : channel,
    ifNoneMatch: headers['if-none-match'],
    forOthers: headers['x-subject'] !== undefined || headers['x-region'] !== undefined,
  });
  if (reply === null) return false;
  const { status, body } = reply;
  const length = typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : null;
  response.writeHead(status, length === null ? reply.headers : { ...reply.headers, ...length });
  response.end(body);
  deps.metrics.requestDone('getPolicy', status, performance.now() - startedMs);
  return true;
}
