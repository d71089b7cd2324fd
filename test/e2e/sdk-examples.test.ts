import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { referenceOperations } from '../../src/contract/operations/reference-operations.ts';
import { localTokens } from '../support/local-service.ts';
import { type ServiceClient, serviceClient } from '../support/service-client.ts';
import { type LocalServer, startLocalServer } from '../support/start-local-server.ts';

const examples = join(import.meta.dirname, '../../examples');

describe('the stories, with the SDK', () => {
  let server: LocalServer;
  let token: ReturnType<typeof localTokens>;
  let editor: ServiceClient;
  beforeAll(async () => {
    server = await startLocalServer({ env: { HMS_ALLOW_PRIVATE_TARGETS: '1' } });
    token = localTokens(server);
    editor = serviceClient(server.baseUrl, await token('demo-editor'));
  });
  afterAll(async () => {
    await server.stop();
  });

  async function environment(client: Parameters<typeof token>[0]) {
    const HMS_TOKEN = await token(client);
    return { PATH: process.env['PATH'], HMS_URL: server.baseUrl, HMS_TOKEN };
  }

  /** Runs an example to its end, and answers the lines that it printed. */
  async function linesOf(name: string, client: Parameters<typeof token>[0]): Promise<string[]> {
    const ran = await promisify(execFile)(process.execPath, [join(examples, 'sdk', name)], {
      env: await environment(client),
      timeout: 30_000,
    });
    expect(ran.stderr).toBe('');
    return ran.stdout.trimEnd().split('\n');
  }

  async function publish(id: string, file: string): Promise<void> {
    await editor.call(changeOperations.publishPolicy, {
      params: { id },
      headers: { 'x-channel': 'prod' },
      bytes: await readFile(join(examples, file), 'utf8'),
      contentType: 'application/yaml',
    });
  }

  it('1: a service decides by the rule in force, and takes the next one at once', async () => {
    await publish('fcc-5g-rural-power', 'fcc-5g-rural/policy.yaml');
    const service = spawn(process.execPath, [join(examples, 'sdk/1-spectrum.ts')], {
      env: await environment('demo-service'),
    });
    onTestFinished(() => void service.kill('SIGKILL'));
    let output = '';
    let complaints = '';
    service.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    service.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    const lines = () => output.split('\n').slice(0, -1);
    await expect.poll(lines, { timeout: 10_000 }).toEqual(['600 W: false']);
    await publish('fcc-5g-rural-power', 'fcc-5g-rural/policy-1.1.0.yaml');
    await expect
      .poll(() => lines()[1], { timeout: 5000 })
      .toMatch(/^now 1\.1\.0, before v\S+; 600 W: true$/);
    service.kill('SIGTERM');
    expect([await once(service, 'exit'), complaints]).toEqual([[0, null], '']);
  });

  it('2: a rule is deployed in stages, and read by a bot', async () => {
    await publish('epa-pm25-limit', 'epa-pm25/policy-1.5.0.yaml');
    const lines = await linesOf('2-pm25.ts', 'demo-editor');
    expect(lines).toContain(
      'run.judged: lint passed, simulate passed, canary passed, rollout running, notify pending',
    );
    expect(lines.at(-2)).toMatch(/^deployed in \d+ ms$/);
    expect(lines.at(-1)).toBe('limit: 25');
  });

  it('3: a pothole becomes a case, and the next report of it does not', async () => {
    for (const name of ['school-bus-routes', 'hospitals']) {
      await editor.call(referenceOperations.putReference, {
        params: { name },
        bytes: await readFile(join(examples, `pothole/${name}.geojson`), 'utf8'),
        contentType: 'application/geo+json',
      });
    }
    const lines = await linesOf('3-pothole.ts', 'demo-service');
    expect(lines[0]).toMatch(/^thanks, \S+$/);
    expect(lines).toContain('case.opened');
    expect(lines.at(-2)).toMatch(/^CASE-1 is of high urgency: /);
    expect(lines.at(-1)).toBe(
      'the other one, by duplicate: CASE-1 is open for a pothole 20 m from here',
    );
  });

  it('3: a claim is filed, and reviewed by a worker', async () => {
    const lines = await linesOf('3-claim.ts', 'demo-service');
    // The reviewer has it, perhaps, before whoever filed it knows its number.
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^CLM-\d+ is approved: noise on 410 days$/),
      expect.stringMatching(/^filed CLM-\d+$/),
      'reviewer: completed',
      'reviewer: leased',
    ]);
  });

  it('4: a service is registered, probed, and called by its name', async () => {
    const lines = await linesOf('4-tower.ts', 'demo-admin');
    expect(lines).toEqual(['200 {"path":"/licences/7?of=ravi","caller":"demo-admin"}']);
  });

  it('5: Maya applies, and who subscribes hears of it', async () => {
    await publish('MAX_INCOME', 'housing/MAX_INCOME.yaml');
    const lines = await linesOf('5-housing.ts', 'demo-admin');
    expect(lines).toEqual(['Maya: {"eligible":true,"limit":80000}', 'heard: {"limit":80000}']);
  });
});
