import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HmsError } from '../api/errors.ts';

const maxFileBytes = 512 * 1024 * 1024;
/** A process that was killed in the middle of writing leaves a file behind. */
const leftoverAgeMs = 3_600_000;
const writableByOthers = 0o022;

/**
 * The text of a file that only this user can have written; null when there is none.
 * Errors: `HmsError` when somebody else could have; that of the system when it cannot be read.
 */
export async function readOwnFile(
  file: string,
): Promise<{ readonly text: string; readonly changedAtMs: number } | null> {
  let handle: FileHandle;
  try {
    // A link may lead to what somebody else can change.
    handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size, uid, mode, mtimeMs: changedAtMs } = await handle.stat();
    const user = process.getuid?.();
    const isOpenToOthers = user !== undefined && (uid !== user || (mode & writableByOthers) !== 0);
    if (isOpenToOthers) throw new HmsError('It can be written by somebody else.');
    if (size > maxFileBytes) throw new HmsError(`It has ${size} bytes.`);
    return { text: await handle.readFile('utf8'), changedAtMs };
  } finally {
    await handle.close();
  }
}

/** For this user alone; whole and on the disk before it gets its name. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What is in it was good at that time: that is kept as the time of its last change. */
export async function confirmFile(file: string, atMs: number): Promise<void> {
  await utimes(file, new Date(), new Date(atMs));
}

/** Of `replaceFile`, when a process did not live to see its end. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  // Without a folder there are none; what cannot be removed is in nobody's way.
  const names = await readdir(folder).catch(() => []);
  const leftovers = names.filter(
    (name) => name.startsWith(`${basename(file)}.`) && name.endsWith('.tmp'),
  );
  for (const name of leftovers) {
    const path = join(folder, name);
    const { mtimeMs = Infinity } = (await stat(path).catch(() => undefined)) ?? {};
    if (Date.now() - mtimeMs > leftoverAgeMs)
      await rm(path, { force: true }).catch(() => undefined);
  }
}
