import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from './free-port.ts';
import { runStep } from './run-step.ts';
import { startChild } from './start-child.ts';
import type { Child } from './start-child.ts';
import { untilReady } from './until-ready.ts';

export interface AzuriteOptions {
  /** The checkout: Azurite is kept in its `.cache`. */
  readonly root: string;
  /** Of the caller, who removes it. */
  readonly stateDir: string;
  readonly signal: AbortSignal;
}

const version = '3.37.0';
/** Of its dependencies, what there was on that day: it pins none of them. */
const asOf = '2026-10-01';
const account = 'hms';

/** Starts Azurite, Microsoft's emulator of Azure Blob Storage, in memory on a free loopback port. */
export async function startAzurite(
  options: AzuriteOptions,
): Promise<{ readonly child: Child; readonly connectionString: string }> {
  const { root, stateDir, signal } = options;
  const program = await installAzurite(root, signal);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const key = randomBytes(64).toString('base64');
  const listen = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
  const child = await startChild({
    command: process.execPath,
    args: [program, ...listen, '--inMemoryPersistence', '--disableTelemetry', '--silent'],
    env: { PATH: process.env['PATH'], HOME: stateDir, AZURITE_ACCOUNTS: `${account}:${key}` },
    cwd: stateDir,
    logFile: join(root, '.cache/azurite.log'),
  });
  try {
    await untilReady(child, endpoint, signal);
  } catch (error) {
    await child.stop();
    throw new Error('Azurite did not start', { cause: error });
  }
  const connectionString = [
    'DefaultEndpointsProtocol=http',
    `AccountName=${account}`,
    `AccountKey=${key}`,
    `BlobEndpoint=${endpoint}/${account}`,
  ].join(';');
  return { child, connectionString };
}

/** Not a dependency: its 365 MB are for those who run the tests of the adapters. */
async function installAzurite(root: string, signal: AbortSignal): Promise<string> {
  const folder = join(root, `.cache/azurite-${version}`);
  const program = join(folder, 'node_modules/azurite/dist/src/blob/main.js');
  const isThere = await access(program).then(
    () => true,
    () => false,
  );
  if (isThere) return program;
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', `--before=${asOf}`];
  const args = ['install', '--prefix', folder, ...quiet, `azurite@${version}`];
  const logFile = join(root, '.cache/npm.log');
  await runStep({ command: 'npm', args, env: process.env, cwd: root, logFile }, signal);
  return program;
}
