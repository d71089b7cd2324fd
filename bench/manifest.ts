import type { FixedReply } from './harness/bare-server.ts';
import { compareLoads } from './harness/compare-loads.ts';
import { startEmbedded } from './harness/embedded-server.ts';
import type { Load, LoadResult } from './harness/load-client.ts';
import { readOptions } from './harness/options.ts';
import { startProgram } from './harness/program.ts';
import { printHead } from './harness/report.ts';
import { sampleRule } from './harness/sample-rule.ts';

const options = readOptions('Manifests with a verified JWT, against bare node:http', {
  rounds: [5, 'interleaved rounds'],
  seconds: [2, 'length of a round on each side'],
  connections: [32, 'keep-alive connections, one request at a time on each'],
  policies: [10_000, 'policies of the last part; the first has 1, the second 100'],
});
const publishers = 8;
const maxRequestsPerSecond = 200_000;
const path = '/api/manifest?channel=prod';

await using server = await startEmbedded();
await using client = await startProgram<Load, LoadResult>('load-client');
const token = await server.token('service');
const editor = await server.token('editor');
let published = 0;

for (const count of [1, 100, options.policies]) {
  await publishUpTo(count);
  const { etag, body } = await fetchManifest();
  const sizeBytes = Buffer.byteLength(body);
  const headers = { etag, 'content-type': 'application/json', 'content-length': `${sizeBytes}` };
  const name = `Manifest of ${count} policies`;
  await compare(`${name} → 200, ${sizeBytes} bytes`, { status: 200, headers, body }, {});
  const known = { 'If-None-Match': etag };
  await compare(`${name} → 304`, { status: 304, headers: { etag }, body: null }, known);
}

async function publishUpTo(count: number): Promise<void> {
  const publish = async () => {
    while (published < count) {
      const id = `bench-${published++}`;
      await server.publish(editor, id, sampleRule(id, '1.0.0'));
    }
  };
  await Promise.all(Array.from({ length: publishers }, publish));
}

/** As the server sends it from then on: the first answer is the one that makes it. */
async function fetchManifest(): Promise<{ readonly etag: string; readonly body: string }> {
  const url = `http://127.0.0.1:${server.port}${path}`;
  const headers = { authorization: `Bearer ${token}` };
  const first = await (await fetch(url, { headers })).text();
  const answer = await fetch(url, { headers });
  const body = await answer.text();
  const etag = answer.headers.get('etag');
  if (etag === null || body !== first) throw new Error(`no manifest: ${answer.status}`);
  return { etag, body };
}

async function compare(
  name: string,
  reply: FixedReply,
  asking: Readonly<Record<string, string>>,
): Promise<void> {
  const { rounds, seconds, connections } = options;
  printHead(
    name,
    `${rounds} rounds of ${seconds} s on each side in turn, after one to warm up; ` +
      `${connections} connections`,
  );
  await using bare = await startProgram<FixedReply, number>('bare-server');
  const loadOf = (port: number): Load => ({
    port,
    request: requestTo(port, asking),
    status: reply.status,
    connections,
    requestsPerSecond: null,
    seconds,
    maxRequests: Math.ceil(seconds * maxRequestsPerSecond),
  });
  const limit = { pid: bare.pid, load: loadOf(await bare.ask(reply)) };
  await compareLoads(client, limit, { pid: server.pid, load: loadOf(server.port) }, rounds);
}

function requestTo(port: number, asking: Readonly<Record<string, string>>): string {
  const headers = { Host: `127.0.0.1:${port}`, Authorization: `Bearer ${token}`, ...asking };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
