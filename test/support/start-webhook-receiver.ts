import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly calls: ReceivedCall[];
  /** What the next calls are answered. */
  answer: { status: number; body?: string; headers?: Record<string, string> };
}

/** A partner's server, on loopback. It answers 204 unless told. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    receiver.calls.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const { status, body } = receiver.answer;
    response.writeHead(status, receiver.answer.headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: WebhookReceiver = {
    server,
    port,
    url: `http://127.0.0.1:${port}/hooks/rules?of=hms`,
    calls: [],
    answer: { status: 204 },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return receiver;
}
