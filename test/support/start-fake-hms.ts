import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface HmsCall {
  /** Method and path. */
  readonly name: string;
  readonly authorization: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
}

/** What a service sees of HMS, on loopback: each answer is what a test says, by method and path. */
export interface FakeHms extends AsyncDisposable {
  readonly url: string;
  readonly calls: HmsCall[];
  /** Names of calls but those for tokens, in their order. */
  readonly names: () => string[];
  readonly answers: Record<string, (call: HmsCall) => FakeAnswer | Promise<FakeAnswer>>;
}

export interface FakeAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `json`: the body piece by piece, as each comes; an error cuts the connection. */
  readonly chunks?: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;
}

/** Gives every client the token `token-of-<client id>`; what has no answer is 404. */
export async function startFakeHms(): Promise<FakeHms> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const call: HmsCall = {
      name: `${request.method} ${request.url}`,
      authorization: request.headers.authorization,
      ifNoneMatch: request.headers['if-none-match'],
      headers: request.headers,
      body: bytes.toString(),
      bytes,
    };
    hms.calls.push(call);
    const answer = hms.answers[call.name];
    const { status, json, headers, chunks: pieces } = (await answer?.(call)) ?? notFound;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    try {
      for await (const piece of pieces ?? []) response.write(piece);
    } catch {
      response.destroy();
    }
    response.end(json === undefined ? undefined : JSON.stringify(json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hms: FakeHms = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    names: () => hms.calls.map(({ name }) => name).filter((name) => name !== tokenCall),
    answers: {
      [tokenCall]: (call) => {
        const client = new URLSearchParams(call.body).get('client_id') ?? basicUser(call);
        return { status: 200, json: { access_token: `token-of-${client}`, expires_in: 3600 } };
      },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return hms;
}

/** The client of RFC 6749, 2.3.1. */
function basicUser({ authorization = '' }: HmsCall): string {
  const [user = ''] = Buffer.from(authorization.slice('Basic '.length), 'base64')
    .toString()
    .split(':');
  return decodeURIComponent(user);
}

const tokenCall = 'POST /oauth2/token';
const notFound: FakeAnswer = { status: 404, json: { code: 'not_found', detail: 'not there' } };

/** The `clients.json` of a data folder, with one client of each role. */
export async function writeClients(dataDir: string): Promise<void> {
  const client = (name: string) => ({
    name,
    client_id: `demo-${name}`,
    client_secret: `secret-of-${name}`,
    tenant: 'demo',
  });
  await mkdir(dataDir, { recursive: true });
  const roles = ['admin', 'editor', 'approver', 'auditor', 'service'];
  const clients = JSON.stringify(roles.map(client));
  await writeFile(join(dataDir, 'clients.json'), clients, { mode: 0o600 });
}
