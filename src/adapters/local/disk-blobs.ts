import { randomUUID } from 'node:crypto';
import { link, open, opendir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Unavailable } from '../../core/errors/app-error.ts';
import type { BlobRef, BlobStore } from '../../ports/blob-store.ts';
import { checkBlobRef, checkBlobSize } from '../runtime/blob-limits.ts';
import { makeDurableFolder, syncFolder } from './make-durable-folder.ts';

/** No tenant begins with a dot. */
const temporaryFolder = '.tmp';
const maxSwept = 10_000;
const maxKnownFolders = 50_000;

/**
 * A BlobStore in a folder: `<root>/<tenant>/<first 2 digits>/<digest>`, modes 0700 and 0600.
 *
 * A blob is written and synced under a temporary name, then linked to its own; what a crash left
 * under a temporary name is removed here, up to 10 000 files at a time.
 */
export async function openDiskBlobs(options: { readonly root: string }): Promise<BlobStore> {
  await makeDurableFolder(join(options.root, temporaryFolder));
  await sweep(join(options.root, temporaryFolder));
  return new DiskBlobs(options.root);
}

async function sweep(folder: string): Promise<void> {
  let swept = 0;
  for await (const entry of await opendir(folder)) {
    if (swept === maxSwept) return;
    await unlink(join(folder, entry.name));
    swept++;
  }
}

class DiskBlobs implements BlobStore {
  readonly #root: string;
  /** Folders that this process has made durable, or is about to. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  async put(ref: BlobRef, bytes: Uint8Array): Promise<'stored' | 'present'> {
    checkBlobSize(bytes);
    const path = this.#pathOf(ref);
    try {
      await this.#makeFolder(dirname(path));
      const isThere = (await orAbsent(stat(path))) !== undefined;
      const answer = isThere ? 'present' : await this.#store(path, bytes);
      // Also when it was present: whoever stored it may not have come this far.
      await syncFolder(dirname(path));
      return answer;
    } catch (error) {
      // Somebody may have removed folders: the next attempt makes them again.
      this.#folders.clear();
      throw translateFileError(error);
    }
  }

  async get(ref: BlobRef): Promise<Uint8Array | undefined> {
    return await orAbsent(readFile(this.#pathOf(ref)));
  }

  async head(ref: BlobRef): Promise<{ readonly sizeBytes: number } | undefined> {
    const found = await orAbsent(stat(this.#pathOf(ref)));
    return found === undefined ? undefined : { sizeBytes: found.size };
  }

  #pathOf(ref: BlobRef): string {
    checkBlobRef(ref);
    return join(this.#root, ref.tenant, ref.digest.slice(0, 2), ref.digest);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#root) return;
    const known = this.#folders.get(folder);
    if (known !== undefined) return await known;
    if (this.#folders.size >= maxKnownFolders) this.#folders.clear();
    const made = this.#makeFolder(dirname(folder)).then(() => makeDurableFolder(folder));
    this.#folders.set(folder, made);
    await made;
  }

  async #store(path: string, bytes: Uint8Array): Promise<'stored' | 'present'> {
    const temporary = join(this.#root, temporaryFolder, randomUUID());
    try {
      await writeSynced(temporary, bytes);
      return await linkIfAbsent(temporary, path);
    } finally {
      // The next start sweeps what cannot be removed now.
      await unlink(temporary).catch(() => undefined);
    }
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Of any number of these for one path, one answers `'stored'`: unlike rename, link never replaces. */
async function linkIfAbsent(from: string, path: string): Promise<'stored' | 'present'> {
  try {
    await link(from, path);
    return 'stored';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'present';
    throw error;
  }
}

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw translateFileError(error);
  }
}

/** The one place where an error of the file system becomes one of ours. */
function translateFileError(error: unknown): unknown {
  return codeOf(error) === undefined
    ? error
    : new Unavailable('The blob store did not answer.', error);
}

/** Such as `ENOSPC`; undefined for what the file system did not throw, or what is translated. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
