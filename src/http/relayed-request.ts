import type { ByteStream } from '../ports/service-caller.ts';
import type { CallOrigin } from '../core/gateway/gateway-call.ts';

/** A request that is handed on, as it came. */
export interface RelayedRequest {
  /** In capitals. */
  readonly method: string;
  /** Path and query as the caller wrote them, where the server can tell; else as it took them. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: ByteStream | null;
  readonly from: CallOrigin;
  /** Cuts the connection in the middle of an answer, where the server can; else a stream that fails does. */
  readonly cut?: () => void;
}

/** What node:http, or an event of API Gateway, says beyond the request itself. */
interface Surroundings {
  readonly incoming?: {
    readonly url?: string;
    readonly socket: { readonly remoteAddress?: string };
  };
  readonly outgoing?: { destroy(): void };
  readonly event?: {
    readonly requestContext?: { readonly identity?: { readonly sourceIp?: string } };
  };
}

export function relayedRequest(request: Request, env: unknown): RelayedRequest {
  const { incoming, outgoing, event } = (env ?? {}) as Surroundings;
  const { pathname, search, protocol, host } = new URL(request.url);
  // One that is absolute names a host, which is not ours to believe.
  const written = incoming?.url?.startsWith('/') === true ? incoming.url : undefined;
  return {
    method: request.method,
    target: written ?? `${pathname}${search}`,
    headers: request.headers,
    body: bodyOf(request),
    from: {
      address: incoming?.socket.remoteAddress ?? event?.requestContext?.identity?.sourceIp,
      scheme: protocol === 'https:' ? 'https' : 'http',
      host,
    },
    ...(outgoing === undefined ? {} : { cut: () => outgoing.destroy() }),
  };
}

function bodyOf(request: Request): ByteStream | null {
  const { method, headers } = request;
  // Their bodies, if any, mean nothing (RFC 9110, 9.3.1).
  if (method === 'GET' || method === 'HEAD') return null;
  const given = headers.get('content-length');
  const sizeBytes = given === null ? null : Number(given);
  if (sizeBytes === 0 || request.body === null) return null;
  // Asked for by neither, there is none (RFC 9112, 6.3).
  const isFramed = sizeBytes !== null || headers.has('transfer-encoding');
  return isFramed ? { sizeBytes, chunks: request.body as AsyncIterable<Uint8Array> } : null;
}
