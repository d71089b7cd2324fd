import { join, resolve } from 'node:path';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';
import { readPrivateFile } from './private-file.ts';

/** A client of the server's own issuer, as its `clients.json` has it. */
export interface LocalClient {
  readonly name: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly tenant: string;
}

/** Where `npm start` listens. */
export function localUrl({ env }: Pick<Io, 'env'>): string {
  return `http://127.0.0.1:${env['PORT'] || 8787}`;
}

/** The data folder of the server of this machine. */
export function dataFolder({ env, cwd }: Pick<Io, 'env' | 'cwd'>): string {
  return resolve(cwd, env['HMS_DATA_DIR'] || '.hms');
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** Errors: `Failure` without `clients.json`, which the server writes when it starts first. */
export async function readLocalClients(
  io: Pick<Io, 'env' | 'cwd'>,
): Promise<readonly LocalClient[]> {
  const path = join(dataFolder(io), 'clients.json');
  const text = await readPrivateFile(path);
  if (text === undefined) {
    throw new Failure(exitCodes.notAllowed, `No credentials: there is no ${path}.`, [
      'Start the server: npm start, in this folder, or with HMS_DATA_DIR for its data folder',
      'Or log in to one that runs elsewhere: hms-svc login --url https://…',
    ]);
  }
  try {
    return JSON.parse(text) as LocalClient[];
  } catch (cause) {
    throw new Failure(exitCodes.usage, `${path} is not JSON.`, [], { cause });
  }
}

/** By its id, else by its name. Errors: `Failure` that names those there are. */
export async function requireLocalClient(
  io: Pick<Io, 'env' | 'cwd'>,
  wanted: string,
): Promise<LocalClient> {
  const clients = await readLocalClients(io);
  const found =
    clients.find(({ client_id: id }) => id === wanted) ??
    clients.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const ids = clients.map(({ client_id: id }) => id).join(', ');
  throw new Failure(
    exitCodes.usage,
    `No client "${wanted}" in ${dataFolder(io)}/clients.json. There are: ${ids}`,
  );
}
