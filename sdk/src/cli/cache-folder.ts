import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Io } from './io.ts';

/** Where programs with this library keep a copy of their rules; undefined when they are told not to. */
export function cacheFolder({ env, cwd }: Pick<Io, 'env' | 'cwd'>): string | undefined {
  const { HMS_CACHE_DIR: given = '', XDG_CACHE_HOME: xdg = '' } = env;
  if (given === 'off') return undefined;
  if (given !== '') return resolve(cwd, given);
  const home = env['HOME'] || homedir();
  return join(isAbsolute(xdg) ? xdg : join(home, '.cache'), 'hms-svc');
}

/** Whether files can be written there, once it is made. */
export async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && folder !== dirname(folder) && isWritable(dirname(folder));
  }
}
