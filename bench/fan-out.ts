import { setTimeout as delay } from 'node:timers/promises';
import { startEmbedded } from './harness/embedded-server.ts';
import { readOptions } from './harness/options.ts';
import { startProgram } from './harness/program.ts';
import { printHead, printTable } from './harness/report.ts';
import { sampleRule } from './harness/sample-rule.ts';
import { ascending, median, quantile, spread } from './harness/statistics.ts';
import type { WatcherAnswer, WatcherQuestion } from './harness/watchers.ts';

const options = readOptions('From a change to its watchers, against a fan-out by plain TCP', {
  rounds: [7, 'interleaved rounds'],
  shots: [20, 'messages of a round on each side, one after the other'],
  watchers: [100, 'streams of the first part; the second has twice as many'],
});
const policy = 'bench-rule';
/** About what a change weighs on the stream. */
const rawMessageChars = 400;
const pauseMs = 20;
/** A new server publishes slowly: its code is cold, and folders are missing. */
const warmUps = 300;

interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

await using server = await startEmbedded();
const token = await server.token('editor');
let shots = 0;
for (let i = 0; i < warmUps; i++) {
  await server.publish(token, policy, sampleRule(policy, `1.0.${i}`));
}
for (const count of [options.watchers, options.watchers * 2]) await compare(count);

async function compare(count: number): Promise<void> {
  const { rounds, shots: perRound } = options;
  printHead(
    `Publish, and roll back → ${count} watchers`,
    `${rounds} rounds of ${perRound} messages on each side in turn, after one to warm up. The ` +
      'limit: a message written to as many sockets',
  );
  await using raw = await startProgram<null, number>('raw-fan-out');
  await using watchers = await startProgram<WatcherQuestion, WatcherAnswer>('watchers');
  const port = await raw.ask(null);
  await watchers.ask({ kind: 'open', group: 'raw', port, count, greeting: '' });
  const greeting = requestHead('GET', '/api/stream/policies?channel=prod', '');
  await watchers.ask({ kind: 'open', group: 'sse', port: server.port, count, greeting });

  const round = async (group: string, bytesOf: (marker: string) => string): Promise<Round> => {
    const latenciesMs: number[] = [];
    for (let shot = 0; shot < perRound; shot++) {
      const marker = `1.0.${100_000 + ++shots}`;
      const bytes = bytesOf(marker);
      latenciesMs.push(...(await watchers.ask({ kind: 'shoot', group, bytes, marker })));
      await delay(pauseMs);
    }
    latenciesMs.sort(ascending);
    return { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
  };
  const rawRound = () => round('raw', (marker) => marker.padEnd(rawMessageChars));
  const ourRound = () => round('sse', publication);
  const backRound = () => round('sse', rollback);
  await rawRound();
  await ourRound();
  await backRound();
  const limits: Round[] = [];
  const ours: Round[] = [];
  const backs: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    limits.push(await rawRound());
    ours.push(await ourRound());
    backs.push(await backRound());
  }
  printRounds('publish → SSE', limits, ours);
  printRounds('rollback → SSE', limits, backs);
}

function publication(version: string): string {
  const yaml = sampleRule(policy, version);
  const head = requestHead(
    'POST',
    `/api/policies/${policy}/publish`,
    'X-Channel: prod\r\nContent-Type: application/yaml\r\n' +
      `Content-Length: ${Buffer.byteLength(yaml)}\r\n`,
  );
  return head + yaml;
}

/** To and fro between two rules; the reason is what the watchers look for. */
function rollback(marker: string): string {
  const body = JSON.stringify({ snapshot: `1.0.${shots % 2}`, reason: marker });
  const head = requestHead(
    'POST',
    `/api/policies/${policy}/rollback`,
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`,
  );
  return head + body;
}

function requestHead(method: string, target: string, headers: string): string {
  return (
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
    `Authorization: Bearer ${token}\r\n${headers}\r\n`
  );
}

function printRounds(name: string, limits: readonly Round[], ours: readonly Round[]): void {
  const row = (label: string, of: (round: Round) => number) => [
    label,
    ...[limits, ours].map((rounds) => median(rounds.map(of)).toFixed(2)),
    spread(ours.map((round, i) => of(round) / of(limits[i]!))),
  ];
  printTable([
    ['median of the rounds', 'raw TCP', name, 'ratio (min–max)'],
    row('p50, ms', ({ p50Ms }) => p50Ms),
    row('p99, ms', ({ p99Ms }) => p99Ms),
  ]);
}
