import type { ServiceCaller, ServiceOutcome, ServiceRequest } from '../../ports/service-caller.ts';
import { brokenBy } from './attempt-failed.ts';
import { CheckedConnections } from './checked-connections.ts';
import { HttpExchange } from './http-exchange.ts';
import type { ReachableNetworks, Resolve } from './public-address.ts';

export interface HttpServiceCallerOptions {
  readonly networks: ReachableNetworks;
  readonly resolve?: Resolve;
  readonly connectTimeoutMs?: number;
}

export interface HttpServiceCaller extends ServiceCaller {
  /** Ends all connections. */
  close(): void;
}

const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * The ServiceCaller on node:http and node:https, whose parsers refuse what is no sound HTTP. What a
 * server closed just before it was used again is asked once more on a connection of its own, where
 * doing it twice is as good as once (RFC 9112, 9.3.1). Errors: a network that is no CIDR.
 */
export function httpServiceCaller(options: HttpServiceCallerOptions): HttpServiceCaller {
  const { networks, resolve, connectTimeoutMs = 3000 } = options;
  const connections = new CheckedConnections(networks, resolve);
  return {
    async call(request) {
      const startedMs = performance.now();
      const first = await exchange(connections, request, connectTimeoutMs, false);
      if (!first.isStale || !canRepeat(request)) return first.outcome;
      const leftMs = request.answerWithinMs - (performance.now() - startedMs);
      if (leftMs <= 0) return first.outcome;
      const again = { ...request, answerWithinMs: leftMs };
      return (await exchange(connections, again, connectTimeoutMs, true)).outcome;
    },
    close: () => connections.close(),
  };
}

function canRepeat({ method, body, signal }: ServiceRequest): boolean {
  const isHere = body === null || body instanceof Uint8Array;
  return isHere && repeatable.has(method) && signal?.aborted !== true;
}

async function exchange(
  connections: CheckedConnections,
  request: ServiceRequest,
  connectTimeoutMs: number,
  isAlone: boolean,
): Promise<{ readonly outcome: ServiceOutcome; readonly isStale: boolean }> {
  try {
    const route = await connections.routeTo(request.origin);
    const made = new HttpExchange(route, request, { connectTimeoutMs, isAlone });
    const outcome = await made.outcome;
    return { outcome, isStale: made.isStale };
  } catch (error) {
    // A request that cannot be made, such as for its headers.
    const reason = brokenBy('it cannot be sent', error);
    return { outcome: { kind: 'failed', failure: 'not_sent', reason }, isStale: false };
  }
}
