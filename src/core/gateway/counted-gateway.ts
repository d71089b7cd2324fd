import type { ServiceCallOutcome } from '../../ports/metrics.ts';
import type { ByteStream } from '../../ports/service-caller.ts';
import type { Deps } from '../deps.ts';
import { AppError, ServiceFailed } from '../errors/app-error.ts';
import type { GatewayAnswer, GatewayCall } from './gateway-call.ts';

type Gateway = (call: GatewayCall) => Promise<GatewayAnswer>;
type CountDeps = Pick<Deps, 'clock' | 'log' | 'metrics'>;

/**
 * The same gateway, its calls counted and timed. By the name of the service only where one was
 * called, or would have been: what a caller makes up is no name.
 */
export function countedGateway(deps: CountDeps, gateway: Gateway): Gateway {
  const { clock, metrics } = deps;
  return async (call) => {
    const { service, principal } = call;
    const startedMs = clock.nowMs();
    const count = (outcome: ServiceCallOutcome, isCalled: boolean): void => {
      const durationMs = clock.nowMs() - startedMs;
      metrics.serviceCalled(principal.tenant, isCalled ? service : null, outcome, durationMs);
    };
    let answer: GatewayAnswer;
    try {
      answer = await gateway(call);
    } catch (error) {
      count(outcomeOf(error, call), error instanceof ServiceFailed);
      throw error;
    }
    count(answer.status >= 500 ? 'failed' : 'answered', true);
    const { body } = answer;
    if (body === null || body instanceof Uint8Array) return answer;
    const { sizeBytes, chunks } = body;
    return { ...answer, body: { sizeBytes, chunks: whole(deps, call, chunks) } };
  };
}

function outcomeOf(error: unknown, { signal }: GatewayCall): ServiceCallOutcome {
  if (error instanceof ServiceFailed) return error.isCallers ? 'abandoned' : 'failed';
  if (!(error instanceof AppError) || error.code === 'unavailable') return 'internal';
  return signal?.aborted === true ? 'abandoned' : 'refused';
}

/** The same chunks; notes when they break off while somebody reads them. */
async function* whole(
  { log, metrics }: CountDeps,
  { principal: { tenant }, requestId, service, trace, signal }: GatewayCall,
  chunks: ByteStream['chunks'],
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (signal?.aborted !== true) {
      metrics.serviceAnswerBroke(tenant, service);
      log.warn('service answer broke off', { requestId, traceId: trace.traceId, tenant, service });
    }
    throw error;
  }
}
