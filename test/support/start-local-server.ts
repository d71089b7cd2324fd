import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface LocalServer {
  readonly baseUrl: string;
  readonly dataDir: string;
  /** All that it has logged, whole lines only. */
  readonly log: () => readonly LogLine[];
  /** Ends it as a crash would (SIGKILL), and resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Asks it to stop (SIGTERM), and answers its exit code, or the signal that ended it. */
  readonly stop: () => Promise<number | string>;
}

export interface EndedServer {
  readonly code: number | string;
  readonly stderr: string;
}

const root = join(import.meta.dirname, '../..');
const startMs = 20_000;

const folders = new Set<string>();
const children = new Set<ChildProcess>();
// Of the file that imports this: a worker of vitest ends without an exit event.
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is gone when the file of tests is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hms-e2e-'));
  folders.add(folder);
  return folder;
}

/** Starts `node bin/serve.ts` in a process of its own, and resolves when it listens. */
export async function startLocalServer(
  options: {
    readonly dataDir?: string;
    readonly port?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<LocalServer> {
  const { dataDir = temporaryFolder(), port = 0, env = {} } = options;
  const server = launch({ ...env, PORT: String(port), HMS_DATA_DIR: dataDir });
  const listening = await Promise.race([
    server.firstLine('listening'),
    server.ended.then(({ code, stderr }): never => {
      throw new Error(`The server ended with ${code}: ${stderr}`);
    }),
  ]);
  return {
    baseUrl: String(listening['url']),
    dataDir,
    log: server.log,
    async kill() {
      server.signal('SIGKILL');
      await server.ended;
    },
    async stop() {
      server.signal('SIGTERM');
      return (await server.ended).code;
    },
  };
}

/** Runs the server with an environment in which it cannot start, until it has ended. */
export async function failToStart(env: Readonly<Record<string, string>>): Promise<EndedServer> {
  const server = launch(env);
  return Promise.race([
    server.ended,
    server.firstLine('listening').then((): never => {
      server.signal('SIGKILL');
      throw new Error('The server started.');
    }),
  ]);
}

function launch(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['bin/serve.ts'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HMS_RATE_LIMIT_TENANT: 'off',
      HMS_RATE_LIMIT_CLIENT: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const log = (): LogLine[] =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    children.delete(child);
    return { code: code ?? signal ?? 'unknown', stderr };
  });
  async function firstLine(msg: string): Promise<LogLine> {
    const timeout = AbortSignal.timeout(startMs);
    for (;;) {
      const found = log().find((line) => line.msg === msg);
      if (found !== undefined) return found;
      await once(child.stdout, 'data', { signal: timeout });
    }
  }
  return { log, ended, firstLine, signal: (name: NodeJS.Signals) => child.kill(name) };
}

/** What `clients.json` says of a client. */
export function clientOf(dataDir: string, clientId: string) {
  const clients = JSON.parse(readFileSync(join(dataDir, 'clients.json'), 'utf8')) as {
    readonly client_id: string;
    readonly client_secret: string;
  }[];
  const client = clients.find(({ client_id: id }) => id === clientId);
  if (client === undefined) throw new Error(`clients.json has no ${clientId}`);
  return { clientId, clientSecret: client.client_secret };
}
