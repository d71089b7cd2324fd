import type { FixedReply } from './harness/bare-server.ts';
import { compareLoads } from './harness/compare-loads.ts';
import { type EmbeddedServer, startEmbedded } from './harness/embedded-server.ts';
import type { Load, LoadResult } from './harness/load-client.ts';
import { readOptions } from './harness/options.ts';
import { startProgram } from './harness/program.ts';
import { printHead } from './harness/report.ts';

const options = readOptions('Calls of a service through the gateway, against calling it directly', {
  rounds: [7, 'interleaved rounds'],
  seconds: [2, 'length of a round on each side'],
  connections: [32, 'keep-alive connections, one request at a time on each'],
  rate: [500, 'requests per second of the paced part'],
});
const maxRequestsPerSecond = 100_000;
const readyMs = 10_000;
const body = 'x'.repeat(1024);
const reply: FixedReply = {
  status: 200,
  headers: { 'content-type': 'application/octet-stream', 'content-length': '1024' },
  body,
};

// The service is on this machine.
process.env['HMS_ALLOW_PRIVATE_TARGETS'] = '1';
await using server = await startEmbedded();
await using service = await startProgram<FixedReply, number>('bare-server');
await using client = await startProgram<Load, LoadResult>('load-client');
const servicePort = await service.ask(reply);
const token = await server.token('service');
await register(server, servicePort);

const get = { method: 'GET', body: '' };
await compare('GET → 200, 1 KB', get, null);
await compare(`GET → 200, 1 KB, ${options.rate} per second`, get, options.rate);
await compare('POST of 1 KB → 200, 1 KB', { method: 'POST', body }, null);

/** Registers the service, and waits until calls reach it. */
async function register(gateway: EmbeddedServer, to: number): Promise<void> {
  const url = `http://127.0.0.1:${gateway.port}`;
  const registered = await fetch(`${url}/services/bench`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${await gateway.token('admin')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'bench', url: `http://127.0.0.1:${to}`, routes: ['/'] }),
  });
  if (!registered.ok) throw new Error(`not registered: ${await registered.text()}`);
  const headers = { authorization: `Bearer ${token}` };
  for (const startedMs = performance.now(); ;) {
    const called = await fetch(`${url}/svc/bench/call`, { headers });
    const text = await called.text();
    if (called.ok && text === body) return;
    if (performance.now() - startedMs > readyMs) throw new Error(`${called.status}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Asked {
  readonly method: string;
  readonly body: string;
}

async function compare(name: string, asked: Asked, rate: number | null): Promise<void> {
  const { rounds, seconds, connections } = options;
  printHead(
    name,
    `${rounds} rounds of ${seconds} s on each side in turn, after one to warm up; ` +
      `${connections} connections; the right column is the gateway`,
  );
  const loadOf = (port: number, path: string): Load => ({
    port,
    request: requestTo(port, path, asked),
    status: reply.status,
    connections,
    requestsPerSecond: rate,
    seconds,
    maxRequests: Math.ceil(seconds * maxRequestsPerSecond),
  });
  const direct = { pid: service.pid, load: loadOf(servicePort, '/call') };
  const through = { pid: server.pid, load: loadOf(server.port, '/svc/bench/call') };
  await compareLoads(client, direct, through, rounds);
}

function requestTo(port: number, path: string, { method, body: sent }: Asked): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    ...(sent === '' ? [] : [`Content-Length: ${sent.length}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${sent}`;
}
