import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sftpTransport } from '../../../src/adapters/runtime/sftp-transport.ts';
import type { PartnerTarget } from '../../../src/core/partners/partner.ts';
import { expectDetail, someNotice } from '../../contract/partner-transport.suite.ts';
import {
  sftpFolder,
  sftpPassword,
  type SftpServer,
  sftpUser,
  startSftpServer,
} from '../../support/start-sftp-server.ts';
import { makeSshKey } from '../../support/make-ssh-key.ts';

type SftpTarget = Extract<PartnerTarget, { kind: 'sftp' }>;

const key = makeSshKey();
const locked = ssh2.utils.generateKeyPairSync('ed25519', {
  cipher: 'aes256-ctr',
  passphrase: 'x',
  rounds: 1,
});
const local = sftpTransport({ networks: { allowPrivate: true } });

describe('sftpTransport', () => {
  let server: SftpServer;
  beforeEach(async () => {
    server = await startSftpServer(key.public);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  async function send(
    change: Partial<SftpTarget> = {},
    secret: string | undefined = sftpPassword,
    transport = local,
    notice = someNotice({ id: 'n1' }),
  ) {
    const { port, hostKey } = server;
    const there = { host: '127.0.0.1', port, username: sftpUser, hostKey, folder: sftpFolder };
    const attempt = await transport.send({ kind: 'sftp', ...there, ...change }, secret, notice);
    expectDetail(attempt, secret);
    return attempt;
  }

  it('writes under another name, renames, and writes the checksum last', async () => {
    expect(await send()).toEqual({ outcome: 'delivered', detail: 'Written.' });
    expect(server.done).toEqual([
      'write /incoming/.hms-n1.json.part',
      'rename /incoming/.hms-n1.json.part /incoming/hms-n1.json',
      'write /incoming/.hms-n1.json.sha256.part',
      'rename /incoming/.hms-n1.json.sha256.part /incoming/hms-n1.json.sha256',
    ]);
  });

  it('replaces what an earlier attempt left, whole or not', async () => {
    const notice = someNotice({ id: 'n1' });
    server.files.set('/incoming/.hms-n1.json.part', 'half of');
    server.files.set('/incoming/hms-n1.json', notice.body);
    expect((await send({}, sftpPassword, local, notice)).outcome).toBe('delivered');
    expect([...server.files.keys()].sort()).toEqual([
      '/incoming/hms-n1.json',
      '/incoming/hms-n1.json.sha256',
    ]);
    expect(server.files.get('/incoming/hms-n1.json')).toBe(notice.body);
  });

  it('takes a private key as well', async () => {
    expect((await send({}, key.private)).outcome).toBe('delivered');
    expect(server.credentials).toEqual([]);
  });

  it('shows nothing to a host with another key', async () => {
    const attempt = await send({ hostKey: `SHA256:${'A'.repeat(43)}` });
    expect(attempt).toEqual({
      outcome: 'failed',
      detail: 'The host has another key than the one of the partner.',
    });
    expect(server.credentials).toEqual([]);
    expect(server.files.size).toBe(0);
  });

  it.each([
    ['another password', 'hush'],
    ['another key', makeSshKey().private],
  ])('says so when the server refuses %s', async (_, secret) => {
    expect(await send({}, secret)).toEqual({
      outcome: 'failed',
      detail: 'The server refused the user name or the secret.',
    });
  });

  it.each([
    ['broken', '-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----\n'],
    ['encrypted', locked.private],
  ])('says so when a key is %s', async (_, secret) => {
    const attempt = await send({}, secret);
    expect(attempt.detail).toContain('private key cannot be read');
    expect(attempt.detail).not.toContain('hush');
  });

  it('says so when there is no secret, no folder, or no good port', async () => {
    const { port, hostKey } = server;
    const there = { host: '127.0.0.1', port, username: sftpUser, hostKey, folder: sftpFolder };
    const bare = await local.send({ kind: 'sftp', ...there }, undefined, someNotice());
    expect(bare.detail).toContain('secret is missing');
    expect((await send({ folder: '/nowhere' })).detail).toContain('(no such folder)');
    expect((await send({ port: 25 })).detail).toContain('port cannot be used');
  });

  it.each([
    ['a private address', '127.0.0.1', []],
    ['the same, written otherwise', '::ffff:127.0.0.1', []],
    ['a name that leads to one', 'partner.example', ['127.0.0.1']],
    ['a name that leads to one among others', 'partner.example', ['8.8.8.8', '127.0.0.1']],
  ])('does not connect to %s', async (_, host, addresses) => {
    const networks = { allowPrivate: false };
    const transport = sftpTransport({ networks, resolve: async () => addresses });
    expect((await send({ host }, sftpPassword, transport)).detail).toContain('not public');
    expect(server.credentials).toEqual([]);
  });

  it('connects to the address that it checked', async () => {
    const resolve = async () => ['127.0.0.1'];
    const transport = sftpTransport({ networks: { allowPrivate: true }, resolve });
    const attempt = await send({ host: 'partner.example' }, sftpPassword, transport);
    expect(attempt.outcome).toBe('delivered');
  });

  it('leaves no connection behind, whatever happens', async () => {
    await send();
    await send({}, 'hush');
    await send({ folder: '/nowhere' });
    await send({ hostKey: 'SHA256:x' });
    await expect.poll(() => server.connections).toBe(0);
  });

  it.each([
    ['says nothing', undefined],
    ['hangs up', ''],
    ['speaks another protocol', 'HTTP/1.1 400 hush\r\n\r\n'],
  ])('fails in time when the server %s', async (_, answer) => {
    const other = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      if (answer !== undefined) socket.end(answer);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const transport = sftpTransport({ networks: { allowPrivate: true }, timeoutMs: 200 });
    const attempt = await send({ port }, sftpPassword, transport);
    expect(attempt.outcome).toBe('failed');
    expect(attempt.detail).not.toContain('hush');
    // It ends only when nobody is connected.
    other.close();
    await once(other, 'close');
  });
});
