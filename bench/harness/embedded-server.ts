import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The product as `npm start` runs it, with a data folder of its own. */
export interface EmbeddedServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Where its data folder is: on the same disk as what it is compared with. */
  readonly folder: string;
  /** An access token for a client of `clients.json`, such as `service`. */
  token(name: string): Promise<string>;
  /** Puts a rule in force in `prod`, and answers its snapshot. */
  publish(token: string, id: string, yaml: string): Promise<string>;
}

const startMs = 20_000;
const root = fileURLToPath(import.meta.resolve('../..'));

export async function startEmbedded(): Promise<EmbeddedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hms-bench-'));
  const dataDir = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, ['bin/serve.ts'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: '0',
      HMS_DATA_DIR: dataDir,
      HMS_RATE_LIMIT_TENANT: 'off',
      HMS_RATE_LIMIT_CLIENT: 'off',
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const url = await urlInLog(logFile).catch(async (error: unknown) => {
    child.kill();
    await exited;
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    port: Number(new URL(url).port),
    folder,
    token: (name) => fetchToken(url, dataDir, name),
    publish: (token, id, yaml) => publish(url, token, id, yaml),
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function urlInLog(logFile: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < startMs; waitedMs += 50) {
    await delay(50);
    const found = /"msg":"listening","url":"([^"]+)"/.exec(await readFile(logFile, 'utf8'));
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error(`The server did not start:\n${await readFile(logFile, 'utf8')}`);
}

async function fetchToken(url: string, dataDir: string, name: string): Promise<string> {
  const file = await readFile(join(dataDir, 'clients.json'), 'utf8');
  const clients = JSON.parse(file) as Record<string, string>[];
  const { client_id = '', client_secret = '' } =
    clients.find((each) => each['name'] === name) ?? {};
  const form = { grant_type: 'client_credentials', client_id, client_secret };
  const response = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`no token for ${name}: ${await response.text()}`);
  return ((await response.json()) as { access_token: string }).access_token;
}

async function publish(url: string, token: string, id: string, yaml: string): Promise<string> {
  const response = await fetch(`${url}/api/policies/${id}/publish`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/yaml',
      'x-channel': 'prod',
    },
    body: yaml,
  });
  if (response.status !== 201) throw new Error(`not published: ${await response.text()}`);
  return ((await response.json()) as { snapshot: string }).snapshot;
}
