import { randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { makeDurableFolder, syncFolder } from './make-durable-folder.ts';

const maxSizeBytes = 1024 * 1024;

/**
 * The text of a file that holds secrets; where there is none, `make` writes it, mode 0600.
 *
 * Of several processes that start at once the first one to finish writes the file, and all of them
 * read that one. Durability: the file is there whole or not at all, also after loss of power.
 * Errors: a plain `Error` that says what to do, when others may read the file or it is too long.
 */
export async function privateFile(path: string, make: () => Promise<string>): Promise<string> {
  const stored = await read(path);
  if (stored !== undefined) return stored;
  await create(path, await make());
  const created = await read(path);
  if (created === undefined) throw new Error(`${path} was removed while it was being made.`);
  return created;
}

async function read(path: string): Promise<string | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const { mode, size } = await file.stat();
    // Windows has no such modes: Node makes one up there.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw new Error(
        `${path} holds secrets and others may open it (mode ${shown}): chmod 600 it, ` +
          'or delete it to have a new one made.',
      );
    }
    if (size > maxSizeBytes) throw new Error(`${path} is longer than 1 MB.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function create(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await makeDurableFolder(folder);
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeDurably(temporary, text);
    // A rename would replace the file of a process that was faster, and has begun to use it.
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(folder);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
