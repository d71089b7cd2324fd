import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbedded } from './harness/embedded-server.ts';
import { readOptions } from './harness/options.ts';
import { monotonicMs } from './harness/monotonic-ms.ts';
import { cpuSeconds } from './harness/process-cpu.ts';
import { type Program, startProgram } from './harness/program.ts';
import type { PushAnswer, PushKind, PushQuestion } from './harness/push-clients.ts';
import { printHead, printTable } from './harness/report.ts';
import { sampleRule } from './harness/sample-rule.ts';
import { ascending, median, quantile, spread } from './harness/statistics.ts';

const options = readOptions('From a publish to 1 000 clients, against a fan-out by plain TCP', {
  rounds: [3, 'interleaved rounds'],
  shots: [20, 'publishes of a round, and messages over TCP, one after the other'],
  clients: [1000, 'clients at a time'],
  processes: [4, 'processes that they live in'],
  pause: [2500, 'ms after a publish to clients of the SDK: until they have told what they run'],
});
const policy = 'bench-rule';
/** About what a change weighs on the stream. */
const rawMessageChars = 400;
const shortPauseMs = 20;
const warmUpShots = 5;
/** A new server publishes slowly: its code is cold, and folders are missing. */
const warmUps = 100;

type Clients = Program<PushQuestion, PushAnswer>;

interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuMs: number;
  readonly clientCpuMs: number;
}

const kinds = {
  sse: 'a message over SSE, as it is',
  websocket: 'a message over WebSocket, as it is',
  'sdk-sse': 'onChange of the SDK, woken over SSE',
  'sdk-websocket': 'onChange of the SDK, woken over WebSocket',
} as const satisfies Partial<Record<PushKind, string>>;

for (const [kind, name] of Object.entries(kinds)) await compare(kind as keyof typeof kinds, name);

async function compare(kind: keyof typeof kinds, name: string): Promise<void> {
  const { rounds, shots, clients, processes } = options;
  printHead(
    `Publish → ${clients} clients: ${name}`,
    `${rounds} rounds of ${shots} on each side in turn, after some to warm up; the clients are in ` +
      `${processes} processes. The limit: a message written to as many sockets`,
  );
  await using server = await startEmbedded();
  await using raw = await startProgram<null, number>('raw-fan-out');
  await using programs = new AsyncDisposableStack();
  const all: Clients[] = [];
  for (let nth = 0; nth < processes; nth++) {
    all.push(programs.use(await startProgram<PushQuestion, PushAnswer>('push-clients')));
  }
  const editor = await server.token('editor');
  let version = 0;
  const publish = async (marker: string) =>
    server.publish(editor, policy, sampleRule(policy, marker));
  while (version < warmUps) await publish(`1.0.${version++}`);
  const port = await raw.ask(null);
  const trigger = await openTrigger(port);
  const token = await server.token('service');
  await openClients(all, 'raw', port, token);
  await openClients(all, kind, server.port, token);

  const pauseMs = kind.startsWith('sdk') ? options.pause : shortPauseMs;
  const round = async (
    of: PushKind,
    pid: number,
    shoot: (marker: string) => unknown,
    count = shots,
  ): Promise<Round> => {
    const pids = all.map((program) => program.pid);
    const before = { server: cpuSeconds(pid), clients: cpuOf(pids) };
    const latenciesMs: number[] = [];
    for (let shot = 0; shot < count; shot++) {
      const marker = `1.0.${version++}`;
      for (const program of all) await program.ask({ ask: 'expect', kind: of, marker });
      const sentMs = monotonicMs();
      await shoot(marker);
      for (const program of all) {
        const arrivedMs = await program.ask({ ask: 'collect', kind: of });
        latenciesMs.push(...arrivedMs.map((ms) => ms - sentMs));
      }
      await delay(of === 'raw' ? shortPauseMs : pauseMs);
    }
    latenciesMs.sort(ascending);
    return {
      p50Ms: quantile(latenciesMs, 0.5),
      p99Ms: quantile(latenciesMs, 0.99),
      serverCpuMs: ((cpuSeconds(pid) - before.server) * 1000) / count,
      clientCpuMs: ((cpuOf(pids) - before.clients) * 1000) / count,
    };
  };
  const rawRound = async (count?: number) =>
    round('raw', raw.pid, (marker) => trigger.write(marker.padEnd(rawMessageChars)), count);
  const ourRound = async (count?: number) => round(kind, server.pid, publish, count);
  await rawRound(warmUpShots);
  await ourRound(warmUpShots);
  const limits: Round[] = [];
  const ours: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    limits.push(await rawRound());
    ours.push(await ourRound());
  }
  trigger.destroy();
  printRounds(limits, ours);
}

async function openTrigger(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay().resume();
  await once(socket, 'connect');
  return socket;
}

/** As many in each process. */
async function openClients(
  all: readonly Clients[],
  kind: PushKind,
  port: number,
  token: string,
): Promise<void> {
  const count = Math.ceil(options.clients / all.length);
  for (const program of all) await program.ask({ ask: 'open', kind, count, port, token });
}

function cpuOf(pids: readonly number[]): number {
  return pids.map(cpuSeconds).reduce((sum, seconds) => sum + seconds, 0);
}

function printRounds(limits: readonly Round[], ours: readonly Round[]): void {
  const row = (label: string, of: (round: Round) => number) => [
    label,
    ...[limits, ours].map((rounds) => median(rounds.map(of)).toFixed(1)),
    spread(ours.map((round, i) => of(round) / of(limits[i]!))),
  ];
  printTable([
    ['median of the rounds', 'raw TCP', 'ours', 'ratio (min–max)'],
    row('p50, ms', ({ p50Ms }) => p50Ms),
    row('p99, ms', ({ p99Ms }) => p99Ms),
    row('server CPU a publish, ms', ({ serverCpuMs }) => serverCpuMs),
    row('client CPU a publish, ms', ({ clientCpuMs }) => clientCpuMs),
  ]);
}
