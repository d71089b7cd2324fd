import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A call, with its whole body. */
export interface Call {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** By method and path, such as `POST /check`. */
export type Routes = Readonly<Record<string, (call: Call) => Promise<Reply>>>;

/** A call that cannot be answered as it is, and what to say of it. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const maxBodyBytes = 256 * 1024;

/** Answers JSON, and `GET /health`. Whatever a route throws is answered. */
export function jsonService(routes: Routes): Server {
  return createServer((request, response) => void respond(routes, request, response));
}

/** Listens on `PORT` of this machine until it is asked to stop; then ends what it has begun. */
export function serve(service: Server): void {
  service.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
    console.log(JSON.stringify({ level: 'info', msg: 'listening', address: service.address() }));
  });
  process.once('SIGTERM', () => service.close());
}

/** A variable that the service cannot do without. Errors: one that names it. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`Set ${name}.`);
  return value;
}

async function respond(
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await answer(routes, request).catch(asReply);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function answer(routes: Routes, request: IncomingMessage): Promise<Reply> {
  const [path] = (request.url ?? '/').split('?');
  const name = `${request.method} ${path}`;
  if (name === 'GET /health') return { status: 200, body: { status: 'ok' } };
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) throw new Refused(404, `There is no ${name}.`);
  const headers = Object.entries(request.headers).map(([key, value]) => [key, String(value)]);
  return route({ headers: Object.fromEntries(headers), body: await readBody(request) });
}

function asReply(error: unknown): Reply {
  if (error instanceof Refused && error.status < 500) {
    return { status: error.status, body: { detail: error.message } };
  }
  console.error(error);
  const status = error instanceof Refused ? error.status : 500;
  return { status, body: { detail: error instanceof Refused ? error.message : 'It failed.' } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    // The rest is read and dropped, so that the caller gets to see the answer.
    if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
  }
  if (sizeBytes > maxBodyBytes) throw new Refused(413, `At most ${maxBodyBytes} bytes.`);
  return Buffer.concat(chunks).toString();
}

/** The fields of a JSON object. Errors: `Refused` (400). */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw new Refused(400, 'The body is not JSON.', { cause: error });
  }
  throw new Refused(400, 'The body is not an object.');
}

/** Errors: `Refused` (400). */
export function mailAddress(value: unknown): string {
  const isAddress = typeof value === 'string' && value.length <= 254 && addressPattern.test(value);
  if (!isAddress) throw new Refused(400, 'email must be an address, such as maya@example.org.');
  return value;
}

const addressPattern = /^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
