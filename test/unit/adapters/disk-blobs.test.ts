import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskBlobs } from '../../../src/adapters/local/disk-blobs.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { startScript } from '../../support/start-script.ts';

const script = new URL('../../support/put-until-killed.ts', import.meta.url);

describe('openDiskBlobs', () => {
  let folder: string;
  let root: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hms-disk-'));
    root = join(folder, 'data', 'blobs');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const bytes = randomBytes(1000);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const ref = { tenant: 'demo', digest };
  const temporaryFiles = (): Promise<string[]> => readdir(join(root, '.tmp'));

  it('keeps a blob under its tenant and digest, for nobody else to read', async () => {
    await (await openDiskBlobs({ root })).put(ref, bytes);
    const shard = join(root, 'demo', digest.slice(0, 2));
    expect(await readFile(join(shard, digest))).toEqual(bytes);
    const paths = [join(folder, 'data'), root, join(root, 'demo'), shard, join(shard, digest)];
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o700, 0o600]);
    expect((await stat(join(shard, digest))).nlink).toBe(1);
  });

  it('keeps blobs over a restart', async () => {
    await (await openDiskBlobs({ root })).put(ref, bytes);
    const again = await openDiskBlobs({ root });
    expect(await again.put(ref, bytes)).toBe('present');
    expect(await again.get(ref)).toEqual(bytes);
  });

  it('leaves no temporary file, whatever a put answers', async () => {
    const blobs = await openDiskBlobs({ root });
    await Promise.all(Array.from({ length: 20 }, () => blobs.put(ref, bytes)));
    await blobs.put(ref, bytes);
    expect(await temporaryFiles()).toEqual([]);
  });

  it('sweeps the temporary files of a crash, and nothing else', async () => {
    const blobs = await openDiskBlobs({ root });
    await blobs.put(ref, bytes);
    for (const name of ['half', 'written']) await writeFile(join(root, '.tmp', name), 'x');
    const again = await openDiskBlobs({ root });
    expect(await temporaryFiles()).toEqual([]);
    expect(await again.get(ref)).toEqual(bytes);
  });

  it('loses no blob that it acknowledged, and halves none, when killed', async () => {
    for (let round = 0; round < 5; round++) {
      const running = await startScript(script, root);
      await setTimeout(10 * round);
      const acknowledged = await running.kill();
      expect(acknowledged.length).toBeGreaterThan(0);
      const blobs = await openDiskBlobs({ root });
      for (const stored of acknowledged) {
        expect(await blobs.head({ tenant: 'demo', digest: stored })).toEqual({
          sizeBytes: 200_000,
        });
      }
    }
    expect(await temporaryFiles()).toEqual([]);
    const paths = await readdir(join(root, 'demo'), { recursive: true, withFileTypes: true });
    for (const entry of paths.filter((path) => path.isFile())) {
      const found = await readFile(join(entry.parentPath, entry.name));
      expect(createHash('sha256').update(found).digest('hex')).toBe(entry.name);
    }
  });

  it('makes its folders again when somebody removed them', async () => {
    const blobs = await openDiskBlobs({ root });
    await blobs.put(ref, bytes);
    await rm(join(root, 'demo'), { recursive: true });
    expect(await blobs.get(ref)).toBeUndefined();
    await expect(blobs.put(ref, bytes)).rejects.toBeInstanceOf(Unavailable);
    expect(await blobs.put(ref, bytes)).toBe('stored');
  });

  it('says that it did not answer when the disk fails, and names no path', async () => {
    const blobs = await openDiskBlobs({ root });
    await writeFile(join(root, 'demo'), 'a file where a folder should be');
    for (const call of [() => blobs.put(ref, bytes), () => blobs.get(ref), () => blobs.head(ref)]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Unavailable);
      expect(error).toMatchObject({ cause: { code: expect.stringMatching(/^E/) } });
      expect(String(error)).not.toContain(root);
    }
    expect(await temporaryFiles()).toEqual([]);
  });

  it('does not follow a tenant out of its folder', async () => {
    const blobs = await openDiskBlobs({ root });
    await mkdir(join(folder, 'outside', digest.slice(0, 2)), { recursive: true });
    await writeFile(join(folder, 'outside', digest.slice(0, 2), digest), 'secret');
    await expect(blobs.get({ tenant: '../../outside', digest })).rejects.toBeInstanceOf(RangeError);
  });
});
