import type { Load, LoadResult } from './load-client.ts';
import { cpuSeconds } from './process-cpu.ts';
import type { Program } from './program.ts';
import { printTable } from './report.ts';
import { median, spread } from './statistics.ts';

export type LoadClient = Program<Load, LoadResult>;

/** A server and the load for it. */
export interface Target {
  readonly pid: number;
  readonly load: Load;
}

interface Round extends LoadResult {
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
}

/** Loads the limit and ours in turn, after one round of each to warm up, and prints the ratios. */
export async function compareLoads(
  client: LoadClient,
  limit: Target,
  ours: Target,
  rounds: number,
): Promise<void> {
  for (const target of [limit, ours]) await measure(client, target);
  const limits: Round[] = [];
  const found: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    limits.push(await measure(client, limit));
    found.push(await measure(client, ours));
  }
  printRounds(limits, found);
}

async function measure(client: LoadClient, { pid, load }: Target): Promise<Round> {
  const before = { server: cpuSeconds(pid), client: cpuSeconds(client.pid) };
  const result = await client.ask(load);
  return {
    ...result,
    serverCpuSeconds: cpuSeconds(pid) - before.server,
    clientCpuSeconds: cpuSeconds(client.pid) - before.client,
  };
}

function printRounds(limits: readonly Round[], ours: readonly Round[]): void {
  const row = (label: string, of: (round: Round) => number) => [
    label,
    ...[limits, ours].map((rounds) => median(rounds.map(of)).toFixed(0)),
    spread(ours.map((round, i) => of(round) / of(limits[i]!))),
  ];
  printTable([
    ['median of the rounds', 'bare', 'embedded', 'ratio (min–max)'],
    row('requests per second', (round) => round.requests / round.seconds),
    row('p50, µs', (round) => round.p50Us),
    row('p99, µs', (round) => round.p99Us),
    row('requests per second of server CPU', (r) => r.requests / r.serverCpuSeconds),
    row('server CPU per request, µs', (r) => (r.serverCpuSeconds * 1e6) / r.requests),
    row('server CPU, % of a core', (round) => (round.serverCpuSeconds * 100) / round.seconds),
    row('client CPU, % of a core', (round) => (round.clientCpuSeconds * 100) / round.seconds),
    row('bytes of a response', (round) => round.responseBytes),
  ]);
}
