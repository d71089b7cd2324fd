import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSecrets } from '../../../src/adapters/local/file-secrets.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';

const ref = { tenant: 'demo', name: 'partner/acme' };

describe('fileSecrets', () => {
  let dataDir: string;
  let path: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hms-secrets-'));
    path = join(dataDir, 'secrets.json');
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it('keeps them in one file that nobody else may read', async () => {
    await fileSecrets({ dataDir }).put(ref, 'hush');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ 'demo/partner/acme': 'hush' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(['secrets.json']);
    expect(await fileSecrets({ dataDir }).get(ref)).toBe('hush');
  });

  it('makes no file for what it does not keep', async () => {
    const secrets = fileSecrets({ dataDir });
    await secrets.get(ref);
    await secrets.delete(ref);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('takes the place of what a crash left, whoever may read that', async () => {
    await writeFile(`${path}.tmp`, '{"demo/partner/ac', { mode: 0o644 });
    await fileSecrets({ dataDir }).put(ref, 'hush');
    expect(await readdir(dataDir)).toEqual(['secrets.json']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('refuses a file that others may read, and says what to do', async () => {
    const secrets = fileSecrets({ dataDir });
    await secrets.put(ref, 'hush');
    await chmod(path, 0o640);
    await expect(secrets.get(ref)).rejects.toThrow('chmod 600');
    await expect(secrets.put(ref, 'new')).rejects.toThrow('chmod 600');
    await chmod(path, 0o600);
    expect(await secrets.get(ref)).toBe('hush');
  });

  it.each(['{"demo/partner/acme":"hush"', '[1]', '"hush"', '{"demo/partner/acme":7}', ''])(
    'refuses a damaged file, leaves it, and quotes nothing of it: %s',
    async (text) => {
      await writeFile(path, text, { mode: 0o600 });
      const secrets = fileSecrets({ dataDir });
      for (const call of [() => secrets.get(ref), () => secrets.put(ref, 'x')]) {
        const error = await call().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ message: expect.stringContaining('is damaged') });
        expect(String(error)).not.toContain('hush');
        expect(error).not.toHaveProperty('cause');
      }
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );

  it('goes on after a change that failed', async () => {
    const secrets = fileSecrets({ dataDir });
    // A folder in the way.
    const blocked = `${path}.tmp`;
    await mkdir(blocked);
    await expect(secrets.put(ref, 'hush')).rejects.toBeInstanceOf(Unavailable);
    await rm(blocked, { recursive: true });
    await secrets.put(ref, 'hush');
    expect(await secrets.get(ref)).toBe('hush');
  });

  it('refuses to grow beyond what it would read again', async () => {
    const most = 16 * 1024 * 1024 - 200;
    await writeFile(path, JSON.stringify({ 'demo/big': 'x'.repeat(most) }), { mode: 0o600 });
    const secrets = fileSecrets({ dataDir });
    await expect(secrets.put(ref, 'y'.repeat(1000))).rejects.toMatchObject({ code: 'too_large' });
    expect(await secrets.get({ tenant: 'demo', name: 'big' })).toHaveLength(most);
    expect(await secrets.get(ref)).toBeUndefined();
  });
});
