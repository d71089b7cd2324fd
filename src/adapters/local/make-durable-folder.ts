import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder (mode 0700) with those above it that are missing. When it returns, the folder
 * survives a loss of power, also if another call had made it a moment before.
 */
export async function makeDurableFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  const topmost = dirname(made ?? folder);
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === topmost) return;
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; NTFS journals its entries.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
