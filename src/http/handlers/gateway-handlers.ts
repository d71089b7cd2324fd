import { gatewayOperations } from '../../contract/operations/gateway-operations.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import type { GatewayAnswer } from '../../core/gateway/gateway-call.ts';
import type { ServiceGateway } from '../../core/gateway/service-gateway.ts';
import type { ByteStream } from '../../ports/service-caller.ts';
import type { Reply } from '../reply.ts';
import { type Call, type Route, route } from '../route.ts';

/** Calls of services: `/svc/{name}/…`. */
export function gatewayRoutes({ gateway }: { readonly gateway: ServiceGateway }): Route[] {
  const handle = async (call: Call<typeof gatewayOperations.callService>): Promise<Reply> => {
    const { principal, requestId, trace, params, relayed, signal } = call;
    requireNoUpgrade(relayed.headers);
    const prefix = `/svc/${params.name}`;
    if (!relayed.target.startsWith(prefix)) throw new InvalidRequest('The path is not plain.');
    const answer = await gateway({
      principal,
      requestId,
      trace,
      service: params.name,
      method: relayed.method,
      target: relayed.target.slice(prefix.length),
      headers: [...relayed.headers],
      body: relayed.body,
      from: relayed.from,
      signal,
    });
    return replyOf(answer, relayed.cut);
  };
  return Object.values(gatewayOperations).map((operation) => route(operation, handle));
}

/**
 * Another protocol cannot be passed through. An offer of HTTP/2 is none that must be taken: some
 * clients make it with every request.
 */
function requireNoUpgrade(headers: Headers): void {
  const offered = headers.get('upgrade');
  if (offered === null || /^h2c?(?:\s*,\s*h2c?)*$/i.test(offered.trim())) return;
  throw new InvalidRequest('The gateway does not switch protocols: call over HTTP.', [
    { pointer: 'header:upgrade', detail: 'leave it out; Server-Sent Events are passed through' },
  ]);
}

function replyOf({ status, headers, body, discard }: GatewayAnswer, cut?: () => void): Reply {
  const ofService = true;
  if (body === null || body instanceof Uint8Array) return { status, headers, body, ofService };
  const { sizeBytes } = body;
  const framed = sizeBytes === null ? headers : { ...headers, 'content-length': String(sizeBytes) };
  return { status, headers: framed, body: streamOf(body, discard, cut), ofService };
}

function streamOf(
  { chunks }: ByteStream,
  discard: () => void,
  cut?: () => void,
): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          // An answer that is not whole must not look as if it were.
          if (cut === undefined) return controller.error(error);
          cut();
          controller.close();
        }
      },
      cancel: discard,
    },
    { highWaterMark: 0 },
  );
}
