import { readFileSync } from 'node:fs';
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { InMemStorageProvider, Unleash } from 'unleash-client';
import { createClient } from '../sdk/src/node/create-client.ts';
import type { Manifest } from '../sdk/src/wire/manifest.ts';
import { readOptions } from './harness/options.ts';
import { printHead, printTable } from './harness/report.ts';
import { median, spread } from './harness/statistics.ts';

const options = readOptions('Reading a rule in a hot loop, beside a Map and two flag clients', {
  rounds: [15, 'interleaved rounds'],
  calls: [2_000_000, 'calls of a round; a hundredth of that where each is waited for'],
});

interface Rule {
  readonly limit: number;
}

/** A power of two: which one is read next costs next to nothing. */
const policies = 128;
const ids = Array.from({ length: policies }, (_, n) => `policy-${n}`);
const effectiveAt = '2999-01-01T00:00:00Z';
const context = { userId: 'bot-7', properties: { region: 'NCR' } };
/** What was read, so that no loop is left out for doing nothing. */
let sum = 0;

type Contender = (calls: number) => void | Promise<void>;

const rules = new Map(ids.map((id): [string, Rule] => [id, ruleOf(id)]));
const settled = await openClient(false);
const waiting = await openClient(true);
const unleash = await openUnleash();
const openFeature = await openOpenFeature();

const contenders: Readonly<Record<string, Contender>> = {
  'Map.get': (calls) => {
    for (let i = 0; i < calls; i++) sum += rules.get(ids[i % policies]!)!.limit;
  },
  getSync: (calls) => {
    for (let i = 0; i < calls; i++) sum += settled.getSync<Rule>(ids[i % policies]!).limit;
  },
  'getSync, a rule waits': (calls) => {
    for (let i = 0; i < calls; i++) sum += waiting.getSync<Rule>(ids[i % policies]!).limit;
  },
  'Unleash isEnabled': (calls) => {
    for (let i = 0; i < calls; i++) sum += unleash.isEnabled(ids[i % policies]!, context) ? 1 : 0;
  },
  get: async (calls) => {
    for (let i = 0; i < calls; i++) sum += (await settled.get<Rule>(ids[i % policies]!)).limit;
  },
  'OpenFeature, in memory': async (calls) => {
    for (let i = 0; i < calls; i++) {
      const rule = await openFeature.getObjectValue(ids[i % policies]!, {});
      sum += (rule as unknown as Rule).limit;
    }
  },
};

await run();
await Promise.all([settled.close(), waiting.close(), OpenFeature.close()]);
unleash.destroy();

async function run(): Promise<void> {
  const { rounds, calls } = options;
  printHead(
    'Reading a rule in a hot loop',
    `unleash-client ${versionOf('unleash-client')}, @openfeature/server-sdk ` +
      `${versionOf('@openfeature/server-sdk')}; ${rounds} rounds of each in turn, after two to warm ` +
      `up; ${policies} rules`,
  );
  const names = Object.keys(contenders);
  const ns = new Map(names.map((name): [string, number[]] => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      const took = await nsPerCall(name, calls);
      if (round >= 0) ns.get(name)?.push(took);
    }
  }
  const limits = ns.get('Map.get') ?? [];
  printTable([
    ['median of the rounds', 'ns per call', 'of Map.get (min–max)'],
    ...names.map((name) => {
      const found = ns.get(name) ?? [];
      const ratios = found.map((each, i) => each / limits[i]!);
      return [name, median(found).toFixed(1), spread(ratios, 1)];
    }),
  ]);
  if (Number.isNaN(sum)) throw new Error('A contender gave no rule.');
}

async function nsPerCall(name: string, calls: number): Promise<number> {
  const isWaitedFor = name === 'get' || name.startsWith('OpenFeature');
  const count = isWaitedFor ? Math.ceil(calls / 100) : calls;
  const startedMs = performance.now();
  // What does not wait must not be made to.
  const waits = contenders[name]?.(count);
  if (waits !== undefined) await waits;
  return ((performance.now() - startedMs) * 1e6) / count;
}

function ruleOf(id: string) {
  return { id, version: '1.0.0', limit: 25, units: 'ug_per_m3', tags: ['health', 'air'] };
}

/** Our client, of a service that is not there: its manifest and rules are made here. */
async function openClient(isWaiting: boolean) {
  const next = isWaiting ? { ...named('next'), effectiveAt } : null;
  const items = ids.map((id) => ({ id, etag: '"s"', gen: 1, ...named('s'), next, canary: null }));
  const manifest: Manifest = { channel: 'prod', items, next: null };
  const client = createClient({
    baseUrl: 'http://hms.test',
    push: 'none',
    receipts: false,
    pollMs: 3_600_000,
    fetch: async (input) => {
      const url = input instanceof Request ? input.url : new URL(input).href;
      const id = /policies\/([^/]+)/.exec(url)?.[1];
      return Response.json(id === undefined ? manifest : ruleOf(id));
    },
  });
  await client.ready();
  return client;
}

function named(snapshot: string) {
  return { snapshot, version: '1.0.0', bodyDigest: null };
}

async function openUnleash(): Promise<Unleash> {
  const unleashed = new Unleash({
    appName: 'bench',
    url: 'http://127.0.0.1:9/api',
    refreshInterval: 0,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: {
      data: ids.map((name) => ({
        name,
        type: 'release',
        enabled: true,
        stale: false,
        impressionData: false,
        project: 'default',
        variants: [],
        strategies: [{ name: 'default', parameters: {}, constraints: [] }],
      })),
    },
  });
  // It has no service to talk to, and needs none.
  unleashed.on('error', () => undefined);
  unleashed.on('warn', () => undefined);
  await new Promise((resolve) => unleashed.once('ready', resolve));
  if (!unleashed.isEnabled('policy-0', context)) throw new Error('Unleash has no flags.');
  return unleashed;
}

async function openOpenFeature() {
  const flags = ids.map((id) => [
    id,
    { variants: { on: ruleOf(id) }, defaultVariant: 'on', disabled: false },
  ]);
  const provider = new InMemoryProvider(
    Object.fromEntries(flags) as ConstructorParameters<typeof InMemoryProvider>[0],
  );
  await OpenFeature.setProviderAndWait(provider);
  return OpenFeature.getClient();
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
