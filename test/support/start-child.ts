import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** All of it: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Where its output goes; begun anew. */
  readonly logFile: string;
  readonly cwd?: string;
}

export interface Child {
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** The end of what it wrote. */
  readonly logTail: () => string;
  /** Ends it and all that it started, and resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

const graceMs = 5000;
const tailChars = 4000;

/** Starts a program in a process group of its own, so that stopping it leaves no grandchild. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env, logFile, cwd } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  // Rejects when the program cannot be started at all.
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    exited,
    logTail: () => readFileSync(logFile, 'utf8').slice(-tailChars),
    async stop() {
      signalGroup(pid, 'SIGTERM');
      await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
      signalGroup(pid, 'SIGKILL');
      await exited;
    },
  };
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The whole group is gone already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
