import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { verifyWebhook } from './verify-webhook.ts';

export interface ServiceOptions {
  /** `whsec_…`: what events are signed with. Undefined: none are let in. */
  readonly webhookSecret: string | undefined;
  /** Takes one line at a time. */
  readonly log: (line: Readonly<Record<string, unknown>>) => void;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

const maxBodyBytes = 256 * 1024;

/** The service, not listening yet. */
export function createService(options: ServiceOptions): Server {
  return createServer((request, response) => void respond(request, response, options));
}

/** Never rejects. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServiceOptions,
): Promise<void> {
  try {
    const { status, body } = await answer(request, options);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  } catch (error) {
    options.log({ level: 'error', msg: 'failed', error: String(error) });
    response.writeHead(500).end();
  }
}

async function answer(request: IncomingMessage, options: ServiceOptions): Promise<Reply> {
  const [path] = (request.url ?? '/').split('?');
  const call = `${request.method} ${path}`;
  if (call === 'GET /health') return { status: 200, body: { status: 'ok' } };
  if (call === 'GET /hello') return hello(request);
  if (call === 'POST /events') return takeEvent(request, options);
  return { status: 404, body: { detail: `There is no ${call}.` } };
}

/** The gateway has checked who calls; nobody else can set these headers through it. */
function hello({ headers }: IncomingMessage): Reply {
  const actor = headers['x-hms-actor'] ?? 'nobody';
  return { status: 200, body: { hello: actor, tenant: headers['x-hms-tenant'] ?? null } };
}

/** Anything but 2xx, and the event comes again later. It may come twice: go by its `webhook-id`. */
async function takeEvent(request: IncomingMessage, options: ServiceOptions): Promise<Reply> {
  const { webhookSecret, log } = options;
  const body = await readBody(request);
  if (body === undefined)
    return { status: 413, body: { detail: `At most ${maxBodyBytes} bytes.` } };
  if (webhookSecret === undefined || !verifyWebhook(webhookSecret, request.headers, body)) {
    return { status: 401, body: { detail: 'The event is not signed with our secret.' } };
  }
  const { type, data } = JSON.parse(body.toString()) as { type: string; data: unknown };
  log({ level: 'info', msg: 'event', id: request.headers['webhook-id'], type, data });
  return { status: 204 };
}

/** Undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    // The rest is read and dropped, so that the caller gets to see the answer.
    if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
  }
  return sizeBytes > maxBodyBytes ? undefined : Buffer.concat(chunks);
}

if (import.meta.main) {
  const { PORT, HMS_WEBHOOK_SECRET } = process.env;
  const log: ServiceOptions['log'] = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const service = createService({ webhookSecret: HMS_WEBHOOK_SECRET, log });
  service.listen(Number(PORT ?? 0), '127.0.0.1', () => {
    log({ level: 'info', msg: 'listening', address: service.address() });
  });
  // Calls under way are answered first; connections that idle are closed.
  process.once('SIGTERM', () => service.close());
}
