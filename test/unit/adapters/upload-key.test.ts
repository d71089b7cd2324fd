import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { loadUploadKey } from '../../../src/adapters/local/upload-key.ts';

let dataDir: string;
let path: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hms-upload-key-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  dataDir = join(folder, 'data');
  path = join(dataDir, 'upload-key');
});

it('the first start makes a key of 32 bytes that only its owner can read', async () => {
  const key = await loadUploadKey(dataDir);
  expect(key).toHaveLength(32);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(dataDir)).toEqual(['upload-key']);
});

it('a restart keeps it, and processes that start at once agree on one', async () => {
  const keys = await Promise.all([1, 2, 3, 4].map(() => loadUploadKey(dataDir)));
  for (const key of [...keys, await loadUploadKey(dataDir)]) expect(key).toEqual(keys[0]);
});

it('another folder has another', async () => {
  const other = await loadUploadKey(join(dataDir, 'other'));
  expect(await loadUploadKey(dataDir)).not.toEqual(other);
});

it('one that others may read, or that is broken, is refused and not shown', async () => {
  const hex = Buffer.from(await loadUploadKey(dataDir)).toString('hex');
  await chmod(path, 0o640);
  await expect(loadUploadKey(dataDir)).rejects.toThrow(/upload-key .*chmod 600/);
  await chmod(path, 0o600);
  for (const broken of ['', hex, `${hex}0\n`, `${hex.toUpperCase()}G\n`, hex.slice(1)]) {
    await writeFile(path, broken);
    const refused = loadUploadKey(dataDir);
    await expect(refused).rejects.toThrow(/upload-key is damaged: delete it/);
    await expect(refused).rejects.not.toThrow(hex.slice(0, 16));
  }
});
