import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { deployStack } from '../test/support/deploy-stack.ts';
import { startAzurite } from '../test/support/start-azurite.ts';
import { startMiniStack } from '../test/support/start-ministack.ts';

/**
 * `npm run test:aws [-- <arguments of vitest>]`: the tests that need AWS or Azure, on emulators.
 * With AWS_ENDPOINT_URL set, on the emulator that listens there.
 */
const root = join(import.meta.dirname, '..');

async function main(signal: AbortSignal): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const stateDir = await mkdtemp(join(tmpdir(), 'hms-test-aws-'));
  cleanup.defer(() => rm(stateDir, { recursive: true, force: true, maxRetries: 3 }));

  const endpoint = await awsEndpoint(stateDir, cleanup, signal);
  const connectionString = await azureConnection(stateDir, cleanup, signal);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    HMS_TEST_AZURE: connectionString,
  };
  if (existsSync(join(root, 'bin/app.ts'))) {
    env['HMS_TEST_OUTPUTS'] = await timed('CDK deploy', () => deployStack({ root, env, signal }));
  }
  // Without await, the emulators would be gone before it begins. Side by side, since both mostly wait.
  const codes = await timed('vitest', () =>
    Promise.all(['aws', 'aws-ports'].map((project) => runVitest(project, env, signal))),
  );
  return Math.max(...codes);
}

async function awsEndpoint(
  stateDir: string,
  cleanup: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const given = process.env['AWS_ENDPOINT_URL'];
  if (given !== undefined && given !== '') return given;
  const { child, endpoint } = await timed('MiniStack', () =>
    startMiniStack({ root, stateDir, signal }),
  );
  cleanup.defer(() => child.stop());
  return endpoint;
}

async function azureConnection(
  stateDir: string,
  cleanup: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const { child, connectionString } = await timed('Azurite', () =>
    startAzurite({ root, stateDir, signal }),
  );
  cleanup.defer(() => child.stop());
  return connectionString;
}

async function runVitest(
  project: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', project, '--passWithNoTests', ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function timed<T>(step: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  console.log(`${step}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    process.exitCode = 128 + constants.signals[name];
    interrupted.abort(new Error(`stopped by ${name}`));
  });
}
try {
  const code = await main(interrupted.signal);
  process.exitCode ??= code;
} catch (error) {
  process.exitCode ??= 1;
  console.error(interrupted.signal.aborted ? 'stopped' : error);
}
