import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HmsError } from '../../../sdk/src/api/errors.ts';
import { packPackage } from '../../../sdk/src/node/pack-package.ts';
import { packFiles, packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { readPackage } from '../../../src/core/packages/read-package.ts';

const examples = join(import.meta.dirname, '../../../examples/epa-pm25');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hms-pack-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

/** Writes files, each with its folders, and answers the path of the first. */
async function write(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const place = await mkdtemp(join(folder, 'case-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(place, path, '..'), { recursive: true });
    await writeFile(join(place, path), content);
  }
  return join(place, Object.keys(files)[0] ?? '');
}

const rule = 'id: a-rule\nversion: 1.0.0\nlimit: 5\n';

describe('packPackage', () => {
  it('makes of a rule the very bytes that the service makes of it', async () => {
    const path = join(examples, 'policy-1.5.0.yaml');
    const packed = await packPackage(path);
    expect(packed).toMatchObject({ id: 'epa-pm25-limit', version: '1.5.0' });
    expect(Buffer.from(packed.bytes)).toEqual(Buffer.from(packPolicy(await readFile(path))));
    expect(packed.files).toEqual([{ path: 'policy.yaml', sizeBytes: expect.any(Number) }]);
  });

  it('packs a folder in the order of its names, as the service reads it', async () => {
    const packed = await packPackage(join(examples, '2.0.0'));
    const { rule: read, entries } = await readPackage(packed.bytes);
    expect([packed.id, packed.version]).toEqual([read.id, read.version]);
    expect(packed.files).toEqual(entries.map(({ path, sizeBytes }) => ({ path, sizeBytes })));
    expect(entries.map(({ path }) => path)).toEqual([
      'policy.yaml',
      'scenarios/inspection-bots.yaml',
      'schema.json',
    ]);
  });

  it('takes a ZIP as it is', async () => {
    const zip = packFiles({ 'policy.yaml': Buffer.from(rule), 'schema.json': Buffer.from('{}') });
    const packed = await packPackage(await write({ 'rule.zip': zip }));
    expect(packed).toMatchObject({ id: 'a-rule', version: '1.0.0', files: [] });
    expect(Buffer.from(packed.bytes)).toEqual(Buffer.from(zip));
  });

  it.each<[what: string, files: Readonly<Record<string, string | Uint8Array>>, says: string]>([
    ['a number for a version', { 'a.yaml': 'id: a\nversion: 2.0' }, 'quote it if it is a number'],
    ['no id', { 'a.yaml': 'version: 2.0.0' }, 'has no id'],
    ['a list', { 'a.yaml': '- id: a' }, 'has no id'],
    ['nothing', { 'a.yaml': '' }, 'has no id'],
    ['the same key twice', { 'a.yaml': `${rule}id: b` }, 'Map keys must be unique'],
    ['no YAML', { 'a.yaml': 'id: [' }, 'is no YAML'],
    ['too much YAML', { 'a.yaml': `${rule}#${'x'.repeat(262_144)}` }, 'larger than 256 KiB'],
    ['too much of all', { 'a.zip': new Uint8Array(5 * 1024 * 1024 + 1) }, 'at most 5 MiB'],
    ['a broken ZIP', { 'a.zip': 'PK\u0003\u0004 and no more' }, 'is a broken ZIP'],
    [
      'a ZIP without a rule',
      { 'a.zip': packFiles({ 'x/policy.yaml': Buffer.from(rule) }) },
      'no p',
    ],
  ])('refuses %s', async (_, files, says) => {
    const packing = packPackage(await write(files)).catch((error: unknown) => error);
    expect(await packing).toBeInstanceOf(HmsError);
    expect(String(await packing)).toContain(says);
  });
});

describe('a folder', () => {
  it.each<[what: string, files: Readonly<Record<string, string>>, says: string]>([
    ['without a rule', { 'schema.json': '{}' }, 'it has no policy.yaml'],
    ['with what is no part', { 'policy.yaml': rule, 'README.md': '' }, 'README.md is not part'],
    ['with folders', { 'policy.yaml': rule, 'more/a.yaml': '' }, 'more is not part'],
    ['with scenarios in JSON', { 'policy.yaml': rule, 'scenarios/a.json': '' }, 'a.json is not'],
    ['with one file as scenarios', { 'policy.yaml': rule, scenarios: '' }, 'is not a folder'],
  ])('is refused %s', async (_, files, says) => {
    const packing = packPackage(join(await write(files), '..'));
    await expect(packing).rejects.toBeInstanceOf(HmsError);
    await expect(packing).rejects.toThrow(says);
  });

  it('is refused with a link, which may lead anywhere', async () => {
    const path = await write({ 'policy.yaml': rule });
    await symlink('/etc/hosts', join(path, '../schema.json'));
    await expect(packPackage(join(path, '..'))).rejects.toThrow('schema.json is not a plain file');
    const link = join(path, '../../link.yaml');
    await symlink(path, link);
    expect((await packPackage(link)).id).toBe('a-rule');
  });
});
