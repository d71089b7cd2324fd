import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const script = join(import.meta.dirname, '../../sdk/src/cli/main.ts');

/** Runs `hms` in a folder, in a process of its own, with nothing of our environment but what is told. */
export async function runHms(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ran> {
  const own = { PATH: process.env['PATH'], XDG_CONFIG_HOME: join(cwd, '.config') };
  const options = { cwd, env: { ...own, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
