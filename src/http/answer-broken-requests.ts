import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Deps } from '../core/deps.ts';
import { type AppError, InvalidRequest, TooLarge } from '../core/errors/app-error.ts';
import { problemReply } from './problem-reply.ts';

type BrokenDeps = Pick<Deps, 'ids' | 'log' | 'metrics'>;

/** How long a connection is read after its refusal: one that is closed at once may lose the answer. */
const lingerMs = 1000;

/** Answers what `node:http` refuses before any handler sees it as a problem, like all the rest. */
export function answerBrokenRequests(server: Server, deps: BrokenDeps): void {
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (refused.has(socket)) return;
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswered(socket)) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = refusal(deps, problemOf(error.code));
    const lines = Object.entries(headers);
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    refused.add(socket);
    setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const error = new InvalidRequest('The only expectation that is met is 100-continue.');
    const { status, headers, body } = refusal(deps, error);
    response.writeHead(status, headers).end(body);
  });
}

/** A second answer within the first would be taken for a part of it. */
function isAnswered(socket: Duplex): boolean {
  // Where node:http keeps what it writes to a socket; its own handler of this event asks the same.
  const message: unknown = Reflect.get(socket, '_httpMessage');
  return message instanceof ServerResponse && message.headersSent;
}

/** https://nodejs.org/api/http.html#event-clienterror */
function problemOf(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new TooLarge('Method, path and headers are larger than 16 KiB together.');
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new TooLarge('The chunk extensions are larger than 16 KiB.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new InvalidRequest('The request took too long to arrive.');
  }
  return new InvalidRequest('The request is not sound HTTP/1.1.');
}

function refusal(deps: BrokenDeps, error: AppError) {
  const requestId = deps.ids.next();
  const reply = problemReply(error, requestId, deps.log);
  const body = typeof reply.body === 'string' ? reply.body : '';
  deps.metrics.requestDone('unknown', reply.status, 0);
  const headers = {
    ...reply.headers,
    'content-length': String(Buffer.byteLength(body)),
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    connection: 'close',
  };
  return { status: reply.status, headers, body };
}
