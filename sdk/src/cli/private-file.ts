import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** Undefined when there is none. Errors: `Failure` when others may read it, as ssh has it. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure(exitCodes.usage, `Cannot read ${path}: ${error.message}`);
  });
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const next = [`chmod 600 ${path}`];
      throw new Failure(
        exitCodes.notAllowed,
        `${path} holds a secret, and others may read it.`,
        next,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Written whole or not at all, for this user alone, and its folder likewise. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
