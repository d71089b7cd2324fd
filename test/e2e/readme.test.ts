import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type LocalServer,
  startLocalServer,
  temporaryFolder,
} from '../support/start-local-server.ts';

const root = join(import.meta.dirname, '../..');
const hasTools = ['bash', 'cmp', 'curl', 'sed'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
);

describe("the README's tour", () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startLocalServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  it.skipIf(!hasTools)('does what it says, as pasted', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const tour = readme.slice(readme.indexOf('## Five-minute tour'), readme.indexOf('## The API'));
    // It goes on from there, in the same shell.
    const pothole = await readFile(join(root, 'examples/pothole/README.md'), 'utf8');
    const [blocks, more] = [blocksOf(tour), blocksOf(pothole)];
    const script = [...blocks, ...more]
      .join('\n')
      .replaceAll('http://127.0.0.1:8787', server.baseUrl)
      .replaceAll('rule.zip', join(temporaryFolder(), 'rule.zip'));
    const { PATH } = process.env;
    const PORT = new URL(server.baseUrl).port;
    const env = {
      PATH: `${join(root, 'node_modules/.bin')}:${PATH}`,
      PORT,
      HMS_DATA_DIR: server.dataDir,
    };
    const ran = await promisify(execFile)('bash', ['--norc', '-eo', 'pipefail', '-c', script], {
      cwd: root,
      env,
    });
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

function blocksOf(text: string): string[] {
  return [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? '');
}
