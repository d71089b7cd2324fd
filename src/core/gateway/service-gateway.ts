import type { ByteStream, ServiceCaller } from '../../ports/service-caller.ts';
import type { Deps } from '../deps.ts';
import { InvalidRequest } from '../errors/app-error.ts';
import { readService } from '../registry/read-service.ts';
import { CallKeys, type CallKeysDeps } from './call-keys.ts';
import { countedGateway } from './counted-gateway.ts';
import type { GatewayAnswer, GatewayCall } from './gateway-call.ts';
import { noRoute, redService } from './gateway-errors.ts';
import { gatewayLimits } from './gateway-limits.ts';
import { OpenCalls } from './open-calls.ts';
import { ReplayableBody } from './replayable-body.ts';
import { requireSoundHeaders, timeoutOfCaller } from './request-headers.ts';
import { headersToCaller, locationToCaller } from './response-headers.ts';
import { type CallToSend, sendCall, type SentAnswer } from './send-call.ts';
import { isRouted, parseServicePath, type ServicePath } from './service-path.ts';
import { KnownServices } from './service-state.ts';

export interface GatewayDeps extends Pick<Deps, 'records' | 'ids' | 'metrics'>, CallKeysDeps {
  readonly caller: ServiceCaller;
}

/**
 * Calls a service for somebody: spread over its replicas, tried again where that is safe, kept from
 * what fails, and sent to the secondary while nothing primary is well. One read of the service; and
 * once a second, for each service that is called, one query for what other processes found. Where
 * the service has a key, each call is signed with it (`signCall`).
 *
 * Errors: `InvalidRequest`; `NotFound`, also for another tenant's service and for a path that is no
 * route; `too_many_requests`; `unavailable` when nothing was sent; `bad_gateway` and
 * `gateway_timeout` when it may have been done.
 */
export type ServiceGateway = (call: GatewayCall) => Promise<GatewayAnswer>;

/** One for a process: it remembers how the targets did. */
export function serviceGateway(deps: GatewayDeps): ServiceGateway {
  const services = new KnownServices(deps);
  const openCalls = new OpenCalls(gatewayLimits.maxOpenCalls);
  const callKeys = new CallKeys(deps);
  return countedGateway(deps, async (call) => {
    const asked = parseServicePath(call.target);
    requireSoundHeaders(call.headers);
    const callerMs = timeoutOfCaller(call.headers);
    const { tenant } = call.principal;
    const { record, health } = await readService(deps, tenant, call.service);
    const { manifest } = record;
    if (!isRouted(manifest.routes, asked.path || '/')) throw noRoute(manifest.name);
    if (health.status === 'red') throw redService(manifest, health);
    const end = openCalls.begin(tenant);
    try {
      const ref = { tenant, name: manifest.name };
      const state = services.get(ref);
      const targets = state.targets(manifest);
      const keys = await callKeys.of(ref, record.secretId);
      const body = await takeBody(call);
      await state.refresh();
      const nowMs = deps.clock.nowMs();
      state.budget.earn(nowMs);
      const sent = await sendCall(deps, {
        call,
        asked,
        manifest,
        up: new Set(health.targets.filter(({ up }) => up).map(({ url }) => url)),
        state,
        body,
        trace: call.trace,
        keys,
        untilMs: nowMs + manifest.timeoutMs,
        callerUntilMs: nowMs + callerMs,
      });
      const places = targets.map((target) => target.state);
      return passOn(sent, call, asked, places, end);
    } catch (error) {
      end();
      throw error;
    }
  });
}

/** A short body whole, so that it can be sent again; a longer one as it comes. */
async function takeBody({ body }: GatewayCall): Promise<CallToSend['body']> {
  if (body === null) return null;
  const { sizeBytes } = body;
  if (sizeBytes === null || sizeBytes > gatewayLimits.maxReplayBytes) {
    return new ReplayableBody(body, gatewayLimits.maxReplayBytes);
  }
  const bytes = new Uint8Array(sizeBytes);
  let read = 0;
  try {
    for await (const chunk of body.chunks) {
      bytes.set(chunk, read);
      read += chunk.byteLength;
    }
  } catch {
    throw new InvalidRequest('The body broke off.');
  }
  if (read < sizeBytes) throw new InvalidRequest('The body broke off.');
  return bytes;
}

function passOn(
  { answer, target, end: endTry }: SentAnswer,
  { service, method }: GatewayCall,
  { path, query }: ServicePath,
  places: Parameters<typeof locationToCaller>[3],
  endCall: () => void,
): GatewayAnswer {
  const { origin, basePath } = target.state;
  const calledUrl = `${origin}${basePath}${path}${query}`;
  const { status, body } = answer;
  const location = locationToCaller(answer.headers, service, calledUrl, places);
  const headers = headersToCaller(answer.headers, location, method === 'HEAD');
  const end = (): void => {
    endTry();
    endCall();
  };
  if (body instanceof Uint8Array || body === null) {
    end();
    return { status, headers, body, discard: () => undefined };
  }
  const discard = (): void => {
    answer.discard();
    end();
  };
  const { sizeBytes, chunks } = body;
  return { status, headers, body: { sizeBytes, chunks: until(chunks, end) }, discard };
}

/** The same chunks; `end` is called after the last, however that ends. */
async function* until(chunks: ByteStream['chunks'], end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    end();
  }
}
