import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dataDir } from './local-hms.ts';

export interface RunningService {
  readonly pid: number;
  /** An argument of the process, and of no other one: a pid is given out again. */
  readonly mark: string;
}

const graceMs = 5000;
const pollMs = 50;
const tailChars = 2000;

/** Of one service of this machine: `process.json` and `service.log`. */
function stateFolder(name: string): string {
  return resolve(dataDir(), 'services', name);
}

export function logFile(name: string): string {
  return join(stateFolder(name), 'service.log');
}

/** The end of what it has written. */
export async function logTail(name: string): Promise<string> {
  return (await readFile(logFile(name), 'utf8')).slice(-tailChars);
}

/** Starts `service.ts` of a folder; it outlives us. What it writes begins a new log. */
export async function startProcess(
  name: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<RunningService> {
  // The log may show what a service is sent.
  await mkdir(stateFolder(name), { recursive: true, mode: 0o700 });
  const mark = `--hms-service=${name}-${randomUUID()}`;
  const log = openSync(logFile(name), 'w', 0o600);
  const child = spawn(process.execPath, ['service.ts', mark], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await once(child, 'spawn');
  child.unref();
  const running = { pid: Number(child.pid), mark };
  await writeFile(recordOf(name), JSON.stringify(running), { mode: 0o600 });
  return running;
}

/** Ends the process that was started for a service, if it still runs: SIGKILL after 5 s. */
export async function stopProcess(name: string): Promise<'stopped' | 'not running'> {
  const running = await readRecord(name);
  if (running === undefined || !(await isRunning(running))) return 'not running';
  signal(running.pid, 'SIGTERM');
  for (const start = performance.now(); performance.now() - start < graceMs;) {
    await delay(pollMs);
    if (!(await isRunning(running))) break;
  }
  if (await isRunning(running)) signal(running.pid, 'SIGKILL');
  await rm(recordOf(name), { force: true });
  return 'stopped';
}

/** Whether it runs, and the pid is not that of another process by now. */
export async function isRunning({ pid, mark }: RunningService): Promise<boolean> {
  return (await commandLine(pid)).includes(mark);
}

/** Empty for a process that is not there. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  return promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

function recordOf(name: string): string {
  return join(stateFolder(name), 'process.json');
}

async function readRecord(name: string): Promise<RunningService | undefined> {
  const text = await readFile(recordOf(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as RunningService);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
