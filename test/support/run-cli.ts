import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { main } from '../../sdk/src/cli/run-cli.ts';

export interface CliPlace {
  /** The folder that it is called in, with `.hms` for its data and `config` for its settings. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Readable;
  /** Standard output is a terminal of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly signal?: AbortSignal;
  readonly nowMs?: () => number;
  /** Hears of standard output piece by piece. */
  readonly onOutput?: (piece: string) => void;
}

export interface CliRan {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hms-svc` in this process, with nothing of its environment. */
export async function runCli(args: readonly string[], place: CliPlace): Promise<CliRan> {
  const { cwd, env = {}, stdin = '', terminal, onOutput } = place;
  const written = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr', told?: (piece: string) => void) => {
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (piece: string) => {
      written[name] += piece;
      told?.(piece);
    });
    return stream;
  };
  const size = terminal === undefined ? {} : { isTTY: true, ...terminal };
  const stdout = Object.assign(collect('stdout', onOutput), size);
  const stderr = collect('stderr');
  const code = await main(args, {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout,
    stderr,
    env: { XDG_CONFIG_HOME: join(cwd, 'config'), ...env },
    cwd,
    signal: place.signal ?? new AbortController().signal,
    nowMs: place.nowMs ?? (() => Date.now()),
  });
  // What is on its way through the streams.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, ...written };
}

/** An empty folder, and how to be rid of it. */
export function cliFolder(): { readonly cwd: string; readonly remove: () => void } {
  const cwd = mkdtempSync(join(tmpdir(), 'hms-cli-'));
  return { cwd, remove: () => rmSync(cwd, { recursive: true, force: true }) };
}
