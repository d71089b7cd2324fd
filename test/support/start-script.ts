import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface RunningScript {
  /** Ends it as a crash would (SIGKILL), and answers the whole lines that it wrote. */
  readonly kill: () => Promise<string[]>;
}

/** Runs a script in a process of its own, and returns when it wrote something. */
export async function startScript(script: URL, ...args: string[]): Promise<RunningScript> {
  const path = fileURLToPath(script);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await Promise.race([once(child.stdout, 'data'), closed]);
  return {
    async kill() {
      const alive = child.kill('SIGKILL');
      await closed;
      if (!alive) throw new Error(`${path} ended by itself: ${errors}`);
      return output.split('\n').slice(0, -1);
    },
  };
}
