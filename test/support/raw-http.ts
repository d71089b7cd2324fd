import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface RawExchange {
  /** The answers that came, in order; of a chunked one, the body with its framing. */
  readonly answers: readonly RawAnswer[];
  /** Whether the server closed the connection in the time given. */
  readonly closed: boolean;
  readonly elapsedMs: number;
}

/**
 * Sends bytes as they are, and collects what comes back until the server closes the connection,
 * `expected` answers are there, or the time is over.
 */
export async function exchange(
  baseUrl: string,
  bytes: string | Uint8Array | readonly (string | Uint8Array)[],
  { expected = Infinity, waitMs = 2000 }: { expected?: number; waitMs?: number } = {},
): Promise<RawExchange> {
  const { hostname, port } = new URL(baseUrl);
  const startedMs = performance.now();
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  const done = Promise.withResolvers<void>();
  let closed = false;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (parseAnswers(Buffer.concat(chunks).toString('latin1')).length >= expected) done.resolve();
  });
  // What is still on its way to a server that has answered and left is reset.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    done.resolve();
  });
  await once(socket, 'connect');
  for (const part of typeof bytes === 'string' || bytes instanceof Uint8Array ? [bytes] : bytes) {
    socket.write(part);
  }
  const timer = setTimeout(() => done.resolve(), waitMs);
  await done.promise;
  clearTimeout(timer);
  socket.destroy();
  return {
    answers: parseAnswers(Buffer.concat(chunks).toString('latin1')),
    closed,
    elapsedMs: performance.now() - startedMs,
  };
}

/** The whole answers at the beginning of a text. */
export function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return answers;
    const [line = '', ...fields] = rest.slice(0, end).split('\r\n');
    const headers = new Headers(
      fields.map((field): [string, string] => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1).trim()];
      }),
    );
    const after = rest.slice(end + 4);
    const chunkedEnd = after.indexOf('0\r\n\r\n');
    const length = headers.has('transfer-encoding')
      ? chunkedEnd + 5
      : Number(headers.get('content-length') ?? 0);
    if (after.length < length || (headers.has('transfer-encoding') && chunkedEnd === -1)) {
      return answers;
    }
    answers.push({ status: Number(line.split(' ')[1]), headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
}
