import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../../api/delays.ts';

export interface RunningService {
  readonly pid: number;
  /** An argument of the process, and of no other one: a pid is given out again. */
  readonly mark: string;
}

const graceMs = 5000;
const pollMs = 50;
const tailChars = 2000;

/** The process of one service of this machine, and what is kept of it in the data folder. */
export class ServiceProcess {
  readonly logFile: string;
  readonly #name: string;
  readonly #folder: string;
  readonly #recordFile: string;

  constructor(dataFolder: string, name: string) {
    this.#name = name;
    this.#folder = join(dataFolder, 'services', name);
    this.#recordFile = join(this.#folder, 'process.json');
    this.logFile = join(this.#folder, 'service.log');
  }

  /** The end of what it has written. */
  async logTail(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).slice(-tailChars);
  }

  /** Starts `service.ts` of a folder; it outlives us. What it writes begins a new log. */
  async start(source: string, env: NodeJS.ProcessEnv): Promise<RunningService> {
    // The log may show what a service is sent.
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const mark = `--hms-service=${this.#name}-${randomUUID()}`;
    const log = openSync(this.logFile, 'w', 0o600);
    const child = spawn(process.execPath, ['service.ts', mark], {
      cwd: source,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    const running = { pid: Number(child.pid), mark };
    await writeFile(this.#recordFile, JSON.stringify(running), { mode: 0o600 });
    return running;
  }

  /** Ends the process that was started for it, if that still runs: SIGKILL after 5 s. */
  async stop(): Promise<'stopped' | 'not running'> {
    const running = await this.#readRecord();
    if (running === undefined || !(await isRunning(running))) return 'not running';
    signal(running.pid, 'SIGTERM');
    for (const start = performance.now(); performance.now() - start < graceMs;) {
      await sleep(pollMs);
      if (!(await isRunning(running))) break;
    }
    if (await isRunning(running)) signal(running.pid, 'SIGKILL');
    await rm(this.#recordFile, { force: true });
    return 'stopped';
  }

  async #readRecord(): Promise<RunningService | undefined> {
    const text = await readFile(this.#recordFile, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as RunningService);
  }
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

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
