import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { startEmbedded } from './harness/embedded-server.ts';
import type { DurableWrites } from './harness/durable-writer.ts';
import { readOptions } from './harness/options.ts';
import { cpuSeconds } from './harness/process-cpu.ts';
import { startProgram } from './harness/program.ts';
import { printHead, printTable } from './harness/report.ts';
import { runFor, type Work } from './harness/run-for.ts';
import { sampleRule } from './harness/sample-rule.ts';
import { median, spread } from './harness/statistics.ts';

const options = readOptions('Durable publishes of a 1 KB rule, against the writes they need', {
  rounds: [7, 'interleaved rounds'],
  seconds: [2, 'length of a round on each side'],
  clients: [8, 'clients of the second part, each with a policy of its own'],
});

interface Round extends Work {
  readonly cpuSeconds: number;
}

await using server = await startEmbedded();
await using writer = await startProgram<DurableWrites, Work>('durable-writer');
const token = await server.token('editor');
const agent = new Agent({ keepAlive: true });
let published = 0;

await compare('Publish, one after the other', 1);
await compare(`Publish, ${options.clients} clients`, options.clients);
agent.destroy();

async function compare(name: string, clients: number): Promise<void> {
  const { rounds, seconds } = options;
  printHead(
    name,
    `${rounds} rounds of ${seconds} s on each side in turn, after one to warm up. The limit: ` +
      'one file and one SQLite transaction, both synced',
  );
  await limitRound(clients, 0);
  await publishRound(clients);
  const limits: Round[] = [];
  const ours: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    limits.push(await limitRound(clients, round));
    ours.push(await publishRound(clients));
  }
  printRounds(limits, ours);
}

async function limitRound(writers: number, round: number): Promise<Round> {
  const folder = join(server.folder, `limit-${writers}-${round}`);
  const before = cpuSeconds(writer.pid);
  const work = await writer.ask({ folder, writers, seconds: options.seconds });
  const took = cpuSeconds(writer.pid) - before;
  await rm(folder, { recursive: true });
  return { ...work, cpuSeconds: took };
}

async function publishRound(clients: number): Promise<Round> {
  const before = cpuSeconds(server.pid);
  const work = await runFor(options.seconds, clients, (client) => publish(`bench-rule-${client}`));
  return { ...work, cpuSeconds: cpuSeconds(server.pid) - before };
}

/** A version that was not there before, into `prod`. */
async function publish(policy: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request({
    agent,
    port: server.port,
    host: '127.0.0.1',
    method: 'POST',
    path: `/api/policies/${policy}/publish`,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/yaml',
      'x-channel': 'prod',
    },
  });
  call.once('error', reject);
  call.once('response', (response) => {
    response.resume().once('end', () => resolve(response.statusCode ?? 0));
  });
  call.end(sampleRule(policy, `1.0.${++published}`));
  const status = await promise;
  if (status !== 201) throw new Error(`a publish was answered with ${status}`);
}

function printRounds(limits: readonly Round[], ours: readonly Round[]): void {
  const row = (label: string, digits: number, of: (round: Round) => number) => [
    label,
    ...[limits, ours].map((rounds) => median(rounds.map(of)).toFixed(digits)),
    spread(ours.map((round, i) => of(round) / of(limits[i]!))),
  ];
  printTable([
    ['median of the rounds', 'limit', 'publish', 'ratio (min–max)'],
    row('per second', 0, ({ count, seconds }) => count / seconds),
    row('p50, ms', 2, ({ p50Ms }) => p50Ms),
    row('p99, ms', 2, ({ p99Ms }) => p99Ms),
    row('CPU each, µs', 0, (round) => (round.cpuSeconds * 1e6) / round.count),
  ]);
}
