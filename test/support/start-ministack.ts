import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { freePort } from './free-port.ts';
import { runStep } from './run-step.ts';
import { startChild } from './start-child.ts';
import type { Child } from './start-child.ts';
import { untilReady } from './until-ready.ts';

export interface MiniStackOptions {
  /** The checkout: `.venv`, `.cache` and the requirements are in it. */
  readonly root: string;
  /** Of the caller, who removes it. */
  readonly stateDir: string;
  readonly signal: AbortSignal;
}

const requirements = 'scripts/emulator-requirements.txt';

/** Starts MiniStack, an emulator of AWS, on a free loopback port; installs it when it is not there. */
export async function startMiniStack(
  options: MiniStackOptions,
): Promise<{ readonly child: Child; readonly endpoint: string }> {
  const { root, stateDir, signal } = options;
  await installMiniStack(root, signal);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = await startChild({
    command: join(root, '.venv/bin/python'),
    args: ['-m', 'ministack'],
    env: {
      // Its Lambdas inherit all of this, and run on the `node` that comes first.
      PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      HOME: stateDir,
      TMPDIR: stateDir,
      STATE_DIR: stateDir,
      S3_DATA_DIR: join(stateDir, 's3'),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      // As AWS: when the trigger fails, there is no token.
      MINISTACK_COGNITO_PRETOKEN_STRICT: '1',
      PYTHONUNBUFFERED: '1',
    },
    cwd: stateDir,
    logFile: join(root, '.cache/ministack.log'),
  });
  try {
    await untilReady(child, `${endpoint}/_ministack/health`, signal);
  } catch (error) {
    await child.stop();
    throw new Error('MiniStack did not start', { cause: error });
  }
  return { child, endpoint };
}

async function installMiniStack(root: string, signal: AbortSignal): Promise<void> {
  const wanted = await readFile(join(root, requirements), 'utf8');
  const installed = join(root, '.venv/installed-requirements.txt');
  if ((await readFile(installed, 'utf8').catch(() => '')) === wanted) return;
  const logFile = join(root, '.cache/pip.log');
  const step = (command: string, args: readonly string[]): Promise<void> =>
    runStep({ command, args, env: process.env, cwd: root, logFile }, signal);
  await mkdir(join(root, '.cache'), { recursive: true });
  await step('python3', ['-m', 'venv', '.venv']);
  await step(join(root, '.venv/bin/python'), ['-m', 'pip', 'install', '-r', requirements]);
  await copyFile(join(root, requirements), installed);
}
