import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ServiceGateway } from '../core/gateway/service-gateway.ts';
import { fastGateway, type FastGatewayDeps } from './fast-gateway.ts';
import { manifestAtHand } from './fast-manifest.ts';
import { type FastRequest, type InMemory, ruleAtHand } from './fast-rule.ts';
import { snapshotAtHand } from './fast-snapshot.ts';
import type { ManifestReplies } from './manifest-replies.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;
type ListenerDeps = InMemory &
  Omit<FastGatewayDeps, 'gateway'> & {
    /** Without it, calls of services are the app's alone. */
    readonly gateway?: ServiceGateway;
    /** Without them, manifests are the app's alone. */
    readonly manifests?: ManifestReplies;
  };

const policyPrefix = '/api/policies/';
const manifestPath = '/api/manifest';

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
  if (method !== 'GET' || target === undefined) return false;
  const isOfPolicy = target.startsWith(policyPrefix);
  if (!isOfPolicy && !target.startsWith(manifestPath)) return false;
  const startedMs = performance.now();
  const { headers } = request;
  const channel = headers['x-channel'];
  const asked: FastRequest = {
    method,
    target,
    authorization: headers.authorization,
    channel: Array.isArray(channel) ? channel.join() : channel,
    ifNoneMatch: headers['if-none-match'],
    accept: headers.accept,
    forOthers: headers['x-subject'] !== undefined || headers['x-region'] !== undefined,
  };
  const [operation, reply] = isOfPolicy
    ? ofPolicyAtHand(deps, asked)
    : (['getManifest', manifestAtHand(deps, asked)] as const);
  if (reply === null) return false;
  const { status, body } = reply;
  const isWhole = typeof body === 'string' || body instanceof Uint8Array;
  const length = isWhole ? { 'content-length': Buffer.byteLength(body) } : null;
  response.writeHead(status, length === null ? reply.headers : { ...reply.headers, ...length });
  response.end(body);
  deps.metrics.requestDone(operation, status, performance.now() - startedMs);
  return true;
}

function ofPolicyAtHand(deps: ListenerDeps, asked: FastRequest) {
  return asked.target.includes('/snapshots/')
    ? (['getSnapshot', snapshotAtHand(deps, asked)] as const)
    : (['getPolicy', ruleAtHand(deps, asked)] as const);
}
