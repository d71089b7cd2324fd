import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { freePort } from '../support/free-port.ts';
import { localTokens } from '../support/local-service.ts';
import { serviceClient } from '../support/service-client.ts';
import { startLocalServer, temporaryFolder } from '../support/start-local-server.ts';

const example = join(import.meta.dirname, '../../examples/fcc-5g-rural');
const maxLines = 20;
/** Those of the languages that this machine has. */
const pollers = [
  { command: 'python3', file: 'poller.py' },
  { command: 'java', file: 'Poller.java' },
].filter(({ command }) => spawnSync(command, ['--version']).status === 0);
const startMs = 20_000;

/** A poller at work: what it has seen, and what it complained of. */
function startPoller(command: string, file: string, env: Readonly<Record<string, string>>) {
  const poller = spawn(command, [join(example, file)], {
    env: { PATH: process.env['PATH'], POLL_SECONDS: '0.05', ...env },
  });
  onTestFinished(() => void poller.kill('SIGKILL'));
  let seen = '';
  let complaints = '';
  poller.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  poller.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  return {
    limits: () => [...seen.matchAll(/^now in force: .*"limit":(\d+)/gm)].map(([, n]) => n),
    complaints: () => complaints,
  };
}

it.skipIf(pollers.length === 0)('pollers of 20 lines follow a rule', async () => {
  for (const { file } of pollers) {
    const lines = (await readFile(join(example, file), 'utf8')).trimEnd().split('\n');
    expect(lines.length, file).toBeLessThanOrEqual(maxLines);
  }

  const place = { dataDir: temporaryFolder(), port: await freePort() };
  const server = await startLocalServer(place);
  const token = localTokens(server);
  const editor = serviceClient(server.baseUrl, await token('demo-editor'));
  const params = { id: 'fcc-5g-rural-power' };
  const publish = async (file: string) =>
    editor.call(changeOperations.publishPolicy, {
      params,
      headers: { 'x-channel': 'prod' },
      bytes: await readFile(join(example, file), 'utf8'),
      contentType: 'application/yaml',
    });

  const env = { HMS_URL: server.baseUrl, HMS_TOKEN: await token('demo-service') };
  const started = pollers.map(({ command, file }) => startPoller(command, file, env));
  const complain = async (text: string, timeout = 5000) => {
    for (const { complaints } of started) {
      await expect.poll(complaints, { timeout }).toContain(text);
    }
  };
  const see = async (limits: readonly string[]) => {
    for (const poller of started) {
      await expect.poll(poller.limits, { timeout: 5000 }).toEqual(limits);
    }
  };

  await complain('refused: 404', startMs);
  await publish('policy.yaml');
  await see(['500']);
  const unchanged = await notModified(server.baseUrl);
  await expect
    .poll(() => notModified(server.baseUrl), { timeout: 5000 })
    .toBeGreaterThan(unchanged + 5);
  await publish('policy-1.1.0.yaml');
  await see(['500', '750']);

  await server.kill();
  await complain('no answer');
  const again = await startLocalServer(place);
  onTestFinished(() => again.kill());
  await editor.call(changeOperations.rollbackPolicy, { params });
  await see(['500', '750', '500']);
});

/** How many calls the server has answered with `304` or the like. */
async function notModified(baseUrl: string): Promise<number> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  const line = /^hms_requests_total\{operation="getPolicy",status_class="3xx"\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
}
