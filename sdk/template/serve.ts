import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';

export type Handler = (request: Request) => Promise<Response>;

/** Serves on `port` of this machine, until it is asked to stop: then ends what it has begun. */
export function serve(handler: Handler, port: number): Server {
  const server = createServer((incoming, outgoing) => void respond(handler, incoming, outgoing));
  // Connections that idle are closed.
  process.once('SIGTERM', () => server.close());
  return server.listen(port, '127.0.0.1');
}

/** Never rejects. */
async function respond(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const request = requestOf(incoming);
    if (request === undefined) {
      outgoing.writeHead(400).end();
      return;
    }
    const { status, headers, body } = await handler(request);
    outgoing.writeHead(status, [...headers].flat());
    if (body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(body), outgoing);
  } catch {
    // The caller went away, or there was no answer.
    outgoing.destroy();
  }
}

/** Undefined for what is no request, such as one without a path. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { method = 'GET', url = '/' } = incoming;
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  const body = method === 'GET' || method === 'HEAD' ? null : Readable.toWeb(incoming);
  try {
    // The host is what somebody says; nothing here goes by it.
    return new Request(`http://localhost${url}`, {
      method,
      headers: headers as [string, string][],
      ...(body === null ? {} : { body: body as ReadableStream<Uint8Array>, duplex: 'half' }),
    });
  } catch {
    return undefined;
  }
}
