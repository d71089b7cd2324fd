import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { TooLarge, Unavailable } from '../../core/errors/app-error.ts';
import type { SecretRef, SecretStore } from '../../ports/secret-store.ts';
import { checkSecret, checkSecretRef } from '../runtime/secret-limits.ts';
import { makeDurableFolder, syncFolder } from './make-durable-folder.ts';

const maxFileBytes = 16 * 1024 * 1024;

type Secrets = Map<string, string>;

/**
 * A SecretStore in one file, `<dataDir>/secrets.json`, mode 0600: an object of all secrets by
 * `<tenant>/<name>`, and of those before them by `<tenant>/<name>~`. For one process at a time;
 * somebody may edit it between two calls.
 *
 * A change writes and syncs the whole file under a temporary name, and renames it.
 * Errors besides the port's: `TooLarge` when the file would exceed 16 MiB; a plain `Error` when it
 * is damaged, or others may read it.
 */
export function fileSecrets({ dataDir }: { readonly dataDir: string }): SecretStore {
  const path = join(dataDir, 'secrets.json');
  let last: Promise<unknown> = Promise.resolve();

  /** One after another: each is made from what the one before left. */
  async function inTurn(work: () => Promise<void>): Promise<void> {
    const done = last.then(() => translated(work));
    last = done.catch(() => undefined);
    await done;
  }

  return {
    async put(ref, secret) {
      const name = nameOf(ref);
      checkSecret(secret);
      await inTurn(async () => {
        const secrets = await read(path);
        const before = secrets.get(name);
        if (before === secret) return syncFolder(dirname(path));
        if (before !== undefined) secrets.set(previousOf(name), before);
        return write(path, secrets.set(name, secret));
      });
    },
    async get(ref) {
      const name = nameOf(ref);
      return await translated(async () => (await read(path)).get(name));
    },
    async getPrevious(ref) {
      const name = nameOf(ref);
      return await translated(async () => (await read(path)).get(previousOf(name)));
    },
    async delete(ref) {
      const name = nameOf(ref);
      await inTurn(async () => {
        const secrets = await read(path);
        const isThere = secrets.delete(name);
        if (secrets.delete(previousOf(name)) || isThere) await write(path, secrets);
      });
    },
  };
}

function nameOf(ref: SecretRef): string {
  checkSecretRef(ref);
  return `${ref.tenant}/${ref.name}`;
}

/** No name of a secret itself. */
function previousOf(name: string): string {
  return `${name}~`;
}

async function read(path: string): Promise<Secrets> {
  const text = await readPrivate(path);
  if (text === undefined) return new Map();
  try {
    const value: unknown = JSON.parse(text);
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
    if (entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
      return new Map(entries);
    }
  } catch {
    // Not as the cause: what a parser says may quote a secret.
  }
  throw new Error(`${path} is damaged: restore it from a backup.`);
}

async function readPrivate(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode, size } = await file.stat();
    // Windows has no such modes: Node makes one up there.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new Error(`${path} holds secrets and others may open it: chmod 600 it.`);
    }
    if (size > maxFileBytes) throw new Error(`${path} is longer than 16 MiB.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function write(path: string, secrets: Secrets): Promise<void> {
  const text = `${JSON.stringify(Object.fromEntries(secrets), undefined, 2)}\n`;
  if (Buffer.byteLength(text) > maxFileBytes) {
    throw new TooLarge('The secrets of all partners exceed 16 MiB: delete some.');
  }
  await makeDurableFolder(dirname(path));
  // Always the same, so that a crash leaves one at the most.
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new Unavailable('The secret store did not answer.', error);
  }
}

/** Such as `ENOSPC`; undefined for what the file system did not throw. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
