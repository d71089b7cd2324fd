import { STATUS_CODES } from 'node:http';
import { type Handler, serve } from './serve.ts';
import { verifyCall } from './verify-call.ts';
import { verifyWebhook } from './verify-webhook.ts';

/** What it is told when it starts: the variables of README.md. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** Takes one line at a time. */
export type Log = (line: Readonly<Record<string, unknown>>) => void;

interface Told {
  /** `whsec_…`: what calls and events are signed with. Undefined: none are let in. */
  readonly secret: string | undefined;
  readonly log: Log;
}

const maxBodyBytes = 256 * 1024;

/** The service, wherever it runs: as a process of a machine, or as a function on AWS. */
export function createService(settings: Settings, log: Log = logLine): Handler {
  const told = { secret: settings['HMS_SERVICE_SECRET'], log };
  return async (request) => {
    try {
      return await answer(request, told);
    } catch (error) {
      log({ level: 'error', msg: 'failed', error: String(error) });
      return problem(500, 'It failed.');
    }
  };
}

async function answer(request: Request, told: Told): Promise<Response> {
  const call = `${request.method} ${new URL(request.url).pathname}`;
  // Anybody may ask: it tells that it is there, and nothing else.
  if (call === 'GET /health') return Response.json({ status: 'ok' });
  // HMS brings it, not the gateway, and signs it in another way.
  if (call === 'POST /events') return takeEvent(request, told);
  if (!verifyCall(told.secret, request)) {
    return problem(401, 'The call does not come from the gateway of HMS: call it there.');
  }
  if (call === 'GET /hello') return hello(request);
  return problem(404, `There is no ${call}.`);
}

/** The gateway has checked who calls, and signed it. */
function hello({ headers }: Request): Response {
  return Response.json({ hello: headers.get('x-hms-actor'), tenant: headers.get('x-hms-tenant') });
}

/** Anything but 2xx, and the event comes again later. It may come twice: go by its `webhook-id`. */
async function takeEvent(request: Request, { secret, log }: Told): Promise<Response> {
  const body = await readBody(request);
  if (body === undefined) return problem(413, `At most ${maxBodyBytes} bytes.`);
  if (!verifyWebhook(secret, request.headers, body)) {
    return problem(401, 'The event is not signed with our secret.');
  }
  const { type, data } = JSON.parse(body.toString()) as { type: string; data: unknown };
  log({ level: 'info', msg: 'event', id: request.headers.get('webhook-id'), type, data });
  return new Response(null, { status: 204 });
}

/** Undefined when it is too long. */
async function readBody({ body }: Request): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.length;
    // The rest is read and dropped, so that the caller gets to see the answer.
    if (sizeBytes <= maxBodyBytes) chunks.push(chunk);
  }
  return sizeBytes > maxBodyBytes ? undefined : Buffer.concat(chunks);
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
function problem(status: number, detail: string): Response {
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  const headers = { 'content-type': 'application/problem+json' };
  return new Response(JSON.stringify(body), { status, headers });
}

function logLine(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) {
  const server = serve(createService(process.env), Number(process.env['PORT'] ?? 0));
  server.once('listening', () => {
    logLine({ level: 'info', msg: 'listening', address: server.address() });
  });
}
