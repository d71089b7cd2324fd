import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, expect, onTestFinished, test } from 'vitest';

import { loadSigningKeys } from '../../../src/adapters/local/signing-keys.ts';

let dataDir: string;
let path: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hms-keys-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
  dataDir = join(folder, 'data');
  path = join(dataDir, 'issuer-key.json');
});

test('the first start makes a key that only its owner can read, and nothing else', async () => {
  const { kid, jwks } = await loadSigningKeys(dataDir);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(dataDir)).toEqual(['issuer-key.json']);
  expect(jwks.keys).toEqual([
    { kty: 'RSA', use: 'sig', alg: 'RS256', kid, e: 'AQAB', n: expect.any(String) },
  ]);
  expect(Buffer.from(jwks.keys[0]?.n ?? '', 'base64url')).toHaveLength(256);
});

test('a restart keeps the key', async () => {
  const first = await loadSigningKeys(dataDir);
  const again = await loadSigningKeys(dataDir);
  expect(again.jwks).toEqual(first.jwks);
  expect(again.privateKey.equals(first.privateKey)).toBe(true);
});

test('processes that start at once agree on one key', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(async () => loadSigningKeys(dataDir)));
  expect(new Set(all.map(({ kid }) => kid)).size).toBe(1);
  expect((await loadSigningKeys(dataDir)).kid).toBe(all[0]?.kid);
  expect(await readdir(dataDir)).toEqual(['issuer-key.json']);
});

test.each([0o644, 0o640, 0o602])('a key of mode %o is refused', async (mode) => {
  await loadSigningKeys(dataDir);
  await chmod(path, mode);
  await expect(loadSigningKeys(dataDir)).rejects.toThrow(/issuer-key\.json .*chmod 600/);
});

test('a broken key is refused by name, and not shown', async () => {
  await loadSigningKeys(dataDir);
  const text = await readFile(path, 'utf8');
  const key: Record<string, string> = JSON.parse(text);
  const { n = '', d = '' } = key;
  const damaged = (value: string): string => (value.startsWith('A') ? 'B' : 'A') + value.slice(1);
  for (const broken of [
    '',
    'null',
    '{}',
    text.slice(0, 200),
    JSON.stringify({ ...key, kty: 'EC' }),
    JSON.stringify({ ...key, n: damaged(n) }),
    JSON.stringify({ ...key, d: undefined }),
    JSON.stringify({ ...key, d: damaged(d), dp: damaged(key['dp'] ?? '') }),
    JSON.stringify({ ...key, kid: 'other' }),
  ]) {
    await writeFile(path, broken);
    const error: unknown = await loadSigningKeys(dataDir).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/issuer-key\.json is not an RSA signing key/);
    expect(String(error)).not.toContain(d.slice(0, 16));
    expect(error).not.toHaveProperty('cause');
    expect(await readFile(path, 'utf8')).toBe(broken);
  }
});
