import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, expect, onTestFinished, test } from 'vitest';

import { loadClients } from '../../../src/adapters/local/client-registry.ts';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { type Role, roleScopes } from '../../../src/core/identity/scopes.ts';

let dataDir: string;
let path: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hms-clients-'));
  onTestFinished(async () => rm(dataDir, { recursive: true }));
  path = join(dataDir, 'clients.json');
});

async function write(list: unknown): Promise<void> {
  const text = typeof list === 'string' ? list : JSON.stringify(list);
  await writeFile(path, text, { mode: 0o600 });
}

const good = {
  name: 'service',
  client_id: 'epa-service',
  client_secret: 's3cret'.repeat(8),
  tenant: 'epa',
  scopes: ['hms/read:policy'],
};

test('the first start writes a client for each role, for its owner alone', async () => {
  await loadClients(dataDir);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(dataDir)).toEqual(['clients.json']);
  const list: readonly (typeof good)[] = JSON.parse(await readFile(path, 'utf8'));
  const clientOf = (tenant: string, role: Role) => ({
    name: role,
    client_id: `${tenant}-${role}`,
    tenant,
    scopes: roleScopes[role].map((scope) => `hms/${scope}`),
  });
  expect(list.map(({ client_secret: _secret, ...rest }) => rest)).toEqual([
    clientOf('demo', 'admin'),
    clientOf('demo', 'editor'),
    clientOf('demo', 'approver'),
    clientOf('demo', 'auditor'),
    clientOf('demo', 'service'),
    clientOf('other', 'service'),
  ]);
  expect(new Set(list.map((client) => client.client_secret)).size).toBe(6);
  for (const { client_secret: secret } of list) expect(secret).toMatch(/^[\w-]{43}$/);
});

test('a restart keeps the secrets, and takes up what someone has edited', async () => {
  const first = await loadClients(dataDir);
  expect(await loadClients(dataDir)).toEqual(first);
  await write([good]);
  expect(await loadClients(dataDir)).toEqual([
    {
      name: 'service',
      clientId: 'epa-service',
      clientSecret: good.client_secret,
      tenant: 'epa',
      scopes: ['hms/read:policy'],
    },
  ]);
});

test('a list that others may read is refused', async () => {
  await loadClients(dataDir);
  await chmod(path, 0o644);
  await expect(loadClients(dataDir)).rejects.toThrow(/clients\.json .*0644.*chmod 600/);
});

test.each([
  ['', ['']],
  ['[{"client_secret": "s3crets3cret', ['']],
  [good, ['']],
  [
    ['text', null],
    ['/0', '/1'],
  ],
  [[{}], ['/0/name', '/0/client_id', '/0/client_secret', '/0/tenant', '/0/scopes']],
  [[{ ...good, name: '' }], ['/0/name']],
  [[{ ...good, client_id: 'a:b' }], ['/0/client_id']],
  [[{ ...good, client_secret: 's3cret' }], ['/0/client_secret']],
  [
    [good, { ...good, tenant: 'EPA' }],
    ['/1/tenant', '/1/client_id'],
  ],
  [[{ ...good, 'a/b~c': 1 }], ['/0/a~1b~0c']],
  [[{ ...good, constructor: 1 }], ['/0/constructor']],
  [[{ ...good, scopes: 'hms/admin' }], ['/0/scopes']],
  [[{ ...good, scopes: ['hms/read:policy', 'admin', 7] }], ['/0/scopes/1', '/0/scopes/2']],
  [[{ ...good, scopes: ['hms/admin', 'hms/admin'] }], ['/0/scopes/1']],
  [[good, { ...good, name: 'bot' }], ['/1/client_id']],
  [[good, { ...good, client_id: 'epa-bot' }], ['/1/name']],
])('%j is refused with pointers, and no secret is shown', async (list, pointers) => {
  await write(list);
  const error: unknown = await loadClients(dataDir).catch((reason: unknown) => reason);
  if (!(error instanceof AppError)) throw error;
  expect(error.details.map(({ pointer }) => pointer)).toEqual(pointers);
  for (const pointer of pointers) expect(error.message).toContain(pointer);
  expect(error.message).not.toContain('s3cret');
});

test('one name may be used in two tenants', async () => {
  await write([good, { ...good, tenant: 'fcc', client_id: 'fcc-service' }]);
  expect(await loadClients(dataDir)).toHaveLength(2);
});
