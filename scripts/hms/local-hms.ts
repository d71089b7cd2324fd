import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface HmsAnswer {
  readonly status: number;
  /** Empty when there was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface OwnClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The local server, as an editor. */
export interface LocalHms {
  readonly url: string;
  /** Any answer at all. Errors: the server cannot be reached. */
  readonly call: (method: string, path: string, json?: unknown) => Promise<HmsAnswer>;
}

const tokenScript = join(import.meta.dirname, '../token.ts');
const jsonType = { 'content-type': 'application/json' };
const timeoutMs = 15_000;

/** The data folder of the server. */
export function dataDir(): string {
  return process.env['HMS_DATA_DIR'] ?? '.hms';
}

/** Takes a token as `npm run token editor` does. Errors: those of it, such as no server. */
export async function localHms(): Promise<LocalHms> {
  const url = process.env['HMS_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? 8787}`;
  const { stdout } = await promisify(execFile)(process.execPath, [tokenScript, 'editor']).catch(
    (error: Error & { stderr?: string }) => {
      throw new Error(error.stderr?.trim() || error.message, { cause: error });
    },
  );
  const authorization = `Bearer ${stdout.trim()}`;
  return {
    url,
    async call(method, path, json) {
      const response = await fetch(url + path, {
        method,
        headers: { authorization, ...(json === undefined ? {} : jsonType) },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      const body = text === '' ? {} : (JSON.parse(text) as HmsAnswer['body']);
      return { status: response.status, body };
    },
  };
}

/** What a service of the editor's tenant takes its tokens with. */
export async function serviceClient(): Promise<OwnClient> {
  const clients = JSON.parse(await readFile(join(dataDir(), 'clients.json'), 'utf8')) as {
    readonly name: string;
    readonly tenant: string;
    readonly client_id: string;
    readonly client_secret: string;
  }[];
  const tenant = clients.find(({ name }) => name === 'editor')?.tenant;
  const client = clients.find((one) => one.name === 'service' && one.tenant === tenant);
  if (client === undefined) throw new Error(`clients.json has no service of ${tenant}.`);
  return { clientId: client.client_id, clientSecret: client.client_secret };
}

/** Errors: what HMS says is wrong, each with its place, unless it did what it was asked. */
export function requireDone({ status, body }: HmsAnswer, what: string): void {
  if (status < 300) return;
  const { detail, errors } = body as {
    readonly detail?: string;
    readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  };
  const findings = (errors ?? []).map((one) => `\n  ${one.pointer} ${one.detail}`).join('');
  throw new Error(`${what} was refused: ${detail ?? status}${findings}`);
}
