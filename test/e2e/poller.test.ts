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
const python = spawnSync('python3', ['--version']).status === 0 ? 'python3' : undefined;

it.skipIf(python === undefined)('a poller of 15 lines follows a rule', async () => {
  const lines = (await readFile(join(example, 'poller.py'), 'utf8')).trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(15);

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

  const poller = spawn(String(python), [join(example, 'poller.py')], {
    env: {
      PATH: process.env['PATH'],
      HMS_URL: server.baseUrl,
      HMS_TOKEN: await token('demo-service'),
      POLL_SECONDS: '0.05',
    },
  });
  onTestFinished(() => void poller.kill('SIGKILL'));
  let seen = '';
  let complaints = '';
  poller.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  poller.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const limits = () => [...seen.matchAll(/^now in force: .*"limit":(\d+)/gm)].map(([, n]) => n);

  await expect.poll(() => complaints, { timeout: 10_000 }).toContain('refused: 404');
  await publish('policy.yaml');
  await expect.poll(limits, { timeout: 5000 }).toEqual(['500']);
  const unchanged = await notModified(server.baseUrl);
  await expect
    .poll(() => notModified(server.baseUrl), { timeout: 5000 })
    .toBeGreaterThan(unchanged + 5);
  await publish('policy-1.1.0.yaml');
  await expect.poll(limits, { timeout: 5000 }).toEqual(['500', '750']);

  await server.kill();
  await expect.poll(() => complaints, { timeout: 5000 }).toContain('no answer');
  const again = await startLocalServer(place);
  onTestFinished(() => again.kill());
  await editor.call(changeOperations.rollbackPolicy, { params });
  await expect.poll(limits, { timeout: 5000 }).toEqual(['500', '750', '500']);
});

/** How many calls the server has answered with `304` or the like. */
async function notModified(baseUrl: string): Promise<number> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  const line = /^hms_requests_total\{operation="getPolicy",status_class="3xx"\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
}
