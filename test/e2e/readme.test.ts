import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHms } from '../support/run-hms.ts';
import {
  type LocalServer,
  startLocalServer,
  temporaryFolder,
} from '../support/start-local-server.ts';

const root = join(import.meta.dirname, '../..');
const hasTools = ['bash', 'cmp', 'curl', 'sed'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
);

describe('the tour by curl', () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startLocalServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  it.skipIf(!hasTools)('does what it says, as pasted', async () => {
    const tour = await readFile(join(root, 'docs/curl.md'), 'utf8');
    // It goes on from there, in the same shell.
    const pothole = await readFile(join(root, 'examples/pothole/README.md'), 'utf8');
    const [blocks, more] = [blocksOf(tour), blocksOf(pothole)];
    const ran = await paste([...blocks, ...more], server);
    expect(ran.stderr).toBe('');
    const shown = [
      '"status":"stored"',
      'HTTP/1.1 200 OK',
      '304',
      '{"op":"replace","pointer":"/limit","before":500,"after":750}',
      '"status":"rolledback"',
      '"limit":500',
      'data: {"tenant":"demo"',
      '"reason":"FCC 26-41"',
      '"action":"policy.rolledback"',
      '{"run":1,"status":"queued","waitsFor":null}',
      '"98.4% adapted of 125 replayed scenarios"',
      '"status":"succeeded"',
      '"name":"hospitals","digest":"sha256:',
      '"action":"case.opened","subject":"CASE-1"',
      '"21 m from the school-bus route 12 Main Street (up to 50 m is high)"',
      '"message":"CASE-1 is open for a pothole 20 m from here","validator":"duplicate"',
      '"code":"invalid_document"',
      '"pointer":"byte:0"',
      '"status":"QUEUED","decision":null',
      '"status":"REVIEWED","decision":"approved","reason":"noise on 410 days"',
      '"distanceM":53',
      '"action":"case.closed","subject":"CASE-1"',
      '"status":"closed"',
    ];
    for (const text of shown) expect(ran.stdout).toContain(text);
    expect([blocks.length, more.length]).toEqual([14, 2]);
  });
});

describe("the README's tour", () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startLocalServer({ env: { HMS_ALLOW_PRIVATE_TARGETS: '1' } });
  });
  afterAll(async () => {
    // What it runs outlives it, where it breaks off.
    const env = { HMS_URL: server.baseUrl, HMS_DATA_DIR: server.dataDir };
    await runHms(['deploy', 'examples/housing/eligibility', '--stop'], { cwd: root, env });
    await server.stop();
  });

  it.skipIf(!hasTools)('does what it says, as pasted', { timeout: 60_000 }, async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const tour = readme.slice(readme.indexOf('## Five-minute tour'), readme.indexOf('## The API'));
    const blocks = blocksOf(tour);
    const ran = await paste(blocks, server);
    const shown = [
      'All is well.',
      '600 W: false\n',
      'fcc-5g-rural-power@1.1.0 is in force in prod',
      '; 600 W: true\n',
      '- /limit: 500',
      '+ /limit: 750',
      '1.1.0 in prod → 1.0.0 in prod  "smoke"',
      'RUN #1  epa-pm25-limit@2.0.0',
      '• Simulation Replay ........... PASS (98.4% adapted)',
      '• Canary 5% (region NCR) ...... PASS',
      'DEPLOYMENT SUCCESSFUL: ',
      'VERIFIED: epa-pm25-limit@2.0.0',
      'the limit is 25',
      'pothole.report completed {"case":"CASE-1"',
      '(duplicate)',
      'exit code 6',
      '"distanceM":0',
      'is approved: noise on 410 days',
      'MAX_INCOME@1.0.0 is in force in prod',
      'voucher-eligibility is green',
      '{"eligible":true,"limit":80000}',
      '• voucher-eligibility green: ',
      'heard: {"limit":80000}',
      'voucher-eligibility: stopped, and no longer registered.',
    ];
    for (const text of shown) expect(ran.stdout).toContain(text);
    expect(blocks.length).toBe(10);
  });
});

/** Runs snippets in one shell in the root of the repository, beside a server. */
async function paste(blocks: readonly string[], server: LocalServer) {
  const folder = temporaryFolder();
  const script = blocks
    .join('\n')
    .replaceAll('http://127.0.0.1:8787', server.baseUrl)
    .replaceAll('rule.zip', join(folder, 'rule.zip'));
  const { PATH } = process.env;
  const env = {
    PATH: `${join(root, 'node_modules/.bin')}:${PATH}`,
    PORT: new URL(server.baseUrl).port,
    HMS_DATA_DIR: server.dataDir,
    XDG_CONFIG_HOME: folder,
    XDG_CACHE_HOME: folder,
  };
  const shell = ['--norc', '-eo', 'pipefail', '-c', script];
  return promisify(execFile)('bash', shell, { cwd: root, env });
}

function blocksOf(text: string): string[] {
  return [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? '');
}
