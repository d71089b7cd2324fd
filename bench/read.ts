import type { FixedReply } from './harness/bare-server.ts';
import { compareLoads } from './harness/compare-loads.ts';
import { startEmbedded } from './harness/embedded-server.ts';
import type { Load, LoadResult } from './harness/load-client.ts';
import { readOptions } from './harness/options.ts';
import { startProgram } from './harness/program.ts';
import { printHead } from './harness/report.ts';
import { sampleRule } from './harness/sample-rule.ts';

const options = readOptions('Reads of a 1 KB rule with a verified JWT, against bare node:http', {
  rounds: [7, 'interleaved rounds'],
  seconds: [2, 'length of a round on each side'],
  connections: [32, 'keep-alive connections, one request at a time on each'],
  rate: [10_000, 'requests per second of the paced part'],
});
const policy = 'bench-rule';
const maxRequestsPerSecond = 500_000;

await using server = await startEmbedded();
await using client = await startProgram<Load, LoadResult>('load-client');
const token = await server.token('service');
const rule = sampleRule(policy, '1.0.0');
const etag = `"${await server.publish(await server.token('editor'), policy, rule)}"`;
const body = await fetchRule();
const notModified = { status: 304, headers: { etag }, body: null };
const whole = {
  status: 200,
  headers: { etag, 'content-type': 'application/json', 'content-length': '1024' },
  body,
};

await compare('Conditional GET → 304', notModified, null);
await compare(`Conditional GET → 304, ${options.rate} per second`, notModified, options.rate);
await compare('GET → 200, 1 KB', whole, null);

/** The rule as the server sends it, once it does what is measured. */
async function fetchRule(): Promise<string> {
  const url = `http://127.0.0.1:${server.port}/api/policies/${policy}`;
  const headers = { authorization: `Bearer ${token}` };
  const known = await fetch(url, { headers: { ...headers, 'if-none-match': etag } });
  if (known.status !== 304 || known.headers.get('etag') !== etag) {
    throw new Error(`not a 304 with ${etag}: ${known.status}`);
  }
  const text = await (await fetch(url, { headers })).text();
  if (text.length !== 1024) throw new Error(`the rule has ${text.length} characters, not 1024`);
  return text;
}

async function compare(name: string, reply: FixedReply, rate: number | null): Promise<void> {
  const { rounds, seconds, connections } = options;
  printHead(
    name,
    `${rounds} rounds of ${seconds} s on each side in turn, after one to warm up; ` +
      `${connections} connections`,
  );
  await using bare = await startProgram<FixedReply, number>('bare-server');
  const asking: Record<string, string> = reply.status === 304 ? { 'If-None-Match': etag } : {};
  const loadOf = (port: number): Load => ({
    port,
    request: requestTo(port, asking),
    status: reply.status,
    connections,
    requestsPerSecond: rate,
    seconds,
    maxRequests: Math.ceil(seconds * maxRequestsPerSecond),
  });
  const limit = { pid: bare.pid, load: loadOf(await bare.ask(reply)) };
  const ours = { pid: server.pid, load: loadOf(server.port) };
  await compareLoads(client, limit, ours, rounds);
}

function requestTo(port: number, asking: Readonly<Record<string, string>>): string {
  const headers = { Host: `127.0.0.1:${port}`, Authorization: `Bearer ${token}`, ...asking };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /api/policies/${policy} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
