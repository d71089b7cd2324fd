import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { getPolicy } from '../../../../sdk/src/node.ts';
import { FakePolicies } from '../../../support/fake-policies.ts';
import { startService, type TestService } from '../../../support/start-service.ts';

let truth: FakePolicies;
let server: TestService;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hms-bot-'));
  truth = new FakePolicies();
  truth.publish('epa-pm25-limit', { limit: 25 });
  truth.lie = ({ name, body }) => {
    if (name !== 'POST /oauth2/token') return undefined;
    return body.includes('client_credentials') ? Response.json({ access_token: 't' }) : undefined;
  };
  server = await startService((request, response) => void answer(request, response));
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  const { method = 'GET', url, headers } = request;
  try {
    const said = await truth.fetch(`http://hms.test${url}`, {
      method,
      headers: headers as Record<string, string>,
      signal: closed.signal,
      ...(method === 'GET' ? {} : { body: Buffer.concat(chunks).toString() }),
    });
    response.writeHead(said.status, Object.fromEntries(said.headers));
    for await (const chunk of said.body ?? []) response.write(chunk);
    response.end();
  } catch {
    response.destroy();
  }
}

/** As short as a bot gets; with a time to linger, it looks again after that. */
const bot = `
  import { getPolicy } from ${JSON.stringify(import.meta.resolve('../../../../sdk/src/node.ts'))};
  console.log((await getPolicy('epa-pm25-limit')).limit);
  const [lingerMs] = process.argv.slice(1);
  if (lingerMs !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, Number(lingerMs)));
    console.log((await getPolicy('epa-pm25-limit')).limit);
  }
`;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}

async function runBot(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '-e', bot, '--', ...args], {
    env: { PATH: process.env['PATH'], XDG_CACHE_HOME: folder, HMS_URL: server.origin, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err, tookMs: performance.now() - startedMs };
}

const client = { HMS_CLIENT_ID: 'bot', HMS_CLIENT_SECRET: 'secret' };

it('a bot reads one rule, tells that it runs it, and ends by itself', async () => {
  const { code, out, err, tookMs } = await runBot(client);
  expect([code, out, err]).toEqual([0, '25\n', '']);
  expect(truth.reports.flatMap(({ receipts }) => receipts)).toMatchObject([
    { policy: 'epa-pm25-limit', status: 'applied' },
  ]);
  expect(truth.count('GET /api/stream')).toBe(0);
  expect(readdirSync(join(folder, 'hms-svc'))).toHaveLength(1);
  expect(tookMs).toBeLessThan(10_000);

  // The service goes down: the next one begins with the copy.
  await server.stop();
  const again = await runBot(client);
  expect([again.code, again.out]).toEqual([0, '25\n']);
});

it('one that lives longer is told of changes, and ends although the stream is open', async () => {
  const running = runBot({ HMS_TOKEN: 't', HMS_SUBJECT: 'bot-7' }, '2500');
  while (truth.streams.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  truth.publish('epa-pm25-limit', { limit: 20 });
  truth.push('epa-pm25-limit');
  const { code, out, err, tookMs } = await running;
  expect([code, out, err]).toEqual([0, '25\n20\n', '']);
  expect(tookMs).toBeLessThan(15_000);
  expect(truth.calls.find(({ name }) => name.includes('manifest'))?.headers.get('x-subject')).toBe(
    'bot-7',
  );
});

it('says what is missing', async () => {
  vi.stubEnv('HMS_URL', '');
  await expect(getPolicy('epa-pm25-limit')).rejects.toThrow('No service is named: set HMS_URL');
  vi.stubEnv('HMS_URL', server.origin);
  vi.stubEnv('HMS_CHANNEL', 'live');
  await expect(getPolicy('epa-pm25-limit')).rejects.toThrow('channel is "live"');
  vi.unstubAllEnvs();
});
