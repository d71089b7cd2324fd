import { beforeEach, describe, expect, it } from 'vitest';
import type { PartnerTarget } from '../../../src/core/partners/partner.ts';
import {
  deletePartner,
  getPartner,
  listPartners,
  type NewPartner,
  putPartner,
} from '../../../src/core/partners/partners.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { journal } from '../journal/notes.ts';
import { hourMs, PartnerDesk, secondMs, secret, startMs } from './partner-desk.ts';

const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const webhook: PartnerTarget = { kind: 'webhook', url: 'https://partner.example/hooks' };
const email: PartnerTarget = { kind: 'email', to: ['desk@partner.example'] };
const sftp = {
  kind: 'sftp',
  host: 'files.partner.example',
  port: 22,
  username: 'hms',
  hostKey: `SHA256:${'a'.repeat(43)}`,
  folder: '/incoming',
} as const;

let desk: PartnerDesk;
beforeEach(() => {
  desk = new PartnerDesk();
});
const put = (partner: NewPartner, name = 'acme', by = desk) =>
  putPartner(by.deps, by.origin(), name, partner);
const held = (name = 'acme', tenant = 'demo') =>
  desk.deps.secrets.get({ tenant, name: `partner/${name}` });

describe('putPartner', () => {
  it('adds one, and journals where it is told', async () => {
    const added = await put({ target: webhook, secret });
    expect(added).toEqual({
      status: 'created',
      partner: {
        name: 'acme',
        target: webhook,
        createdAt: '2026-01-01T00:00:00.000Z',
        createdBy: 'ann',
        changedAt: '2026-01-01T00:00:00.000Z',
      },
    });
    expect(await getPartner(desk.deps, 'demo', 'acme')).toEqual(added.partner);
    expect(await held()).toBe(secret);
    expect(await journal(desk.deps.records)).toMatchObject([
      {
        action: 'partner.put',
        subject: 'partner:acme',
        before: null,
        after: { target: webhook, secretChanged: true },
      },
    ]);
  });

  it('changes one, and keeps its secret and who added it', async () => {
    await put({ target: webhook, secret });
    desk.at(hourMs);
    const url = 'https://partner.example/other';
    const { status, partner } = await put({ target: { kind: 'webhook', url } });
    expect(status).toBe('changed');
    expect(partner).toMatchObject({
      target: { url },
      createdAt: '2026-01-01T00:00:00.000Z',
      changedAt: new Date(startMs + hourMs).toISOString(),
    });
    expect(await held()).toBe(secret);
    expect((await journal(desk.deps.records))[1]).toMatchObject({
      before: { target: webhook },
      after: { target: { url }, secretChanged: false },
    });
  });

  it('changes the secret alone', async () => {
    await put({ target: webhook, secret });
    expect((await put({ target: webhook, secret: other })).status).toBe('changed');
    expect(await held()).toBe(other);
  });

  it('does nothing when nothing changes', async () => {
    await put({ target: sftp, secret: 'hush' });
    const { folder, ...rest } = sftp;
    const again = await put({ target: { folder, ...rest } });
    expect(again.status).toBe('unchanged');
    expect(await journal(desk.deps.records)).toHaveLength(1);
  });

  it('deletes the secret of one that needs none any more', async () => {
    await put({ target: webhook, secret });
    await put({ target: email });
    expect(await held()).toBeUndefined();
  });

  it.each([
    ['a new webhook', undefined, webhook],
    ['a new SFTP server', undefined, sftp],
    ['a webhook that was mail', email, webhook],
    ['a webhook that was SFTP', sftp, webhook],
    ['SFTP that was a webhook', webhook, sftp],
    ['another host', sftp, { ...sftp, host: 'evil.example' }],
    ['another port', sftp, { ...sftp, port: 2222 }],
    ['another user', sftp, { ...sftp, username: 'root' }],
    ['another key of the host', sftp, { ...sftp, hostKey: `SHA256:${'b'.repeat(43)}` }],
  ] as [string, PartnerTarget | undefined, PartnerTarget][])(
    'wants a secret for %s',
    async (_, before, target) => {
      if (before !== undefined) {
        await put({ target: before, ...(before.kind === 'email' ? {} : { secret }) });
      }
      const entries = (await journal(desk.deps.records)).length;
      await expect(put({ target })).rejects.toMatchObject({
        code: 'invalid_request',
        details: [{ pointer: '/secret' }],
      });
      expect(await journal(desk.deps.records)).toHaveLength(entries);
    },
  );

  it('wants none for another folder', async () => {
    await put({ target: sftp, secret: 'hush' });
    expect((await put({ target: { ...sftp, folder: '/in' } })).status).toBe('changed');
  });

  it('stores the secret first, so that no partner is without', async () => {
    const seen: unknown[] = [];
    const records = interceptMethods(desk.deps.records, { commit: 0 }, async (_, __, call) => {
      seen.push(await held());
      return call();
    });
    await putPartner({ ...desk.deps, records }, desk.origin(), 'acme', { target: webhook, secret });
    expect(seen).toEqual([secret]);
  });

  it('adds none whose secret could not be stored', async () => {
    const secrets = {
      ...desk.deps.secrets,
      put: async () => {
        throw new Unavailable('no secrets now');
      },
    };
    const partner = { target: webhook, secret };
    const adding = putPartner({ ...desk.deps, secrets }, desk.origin(), 'acme', partner);
    await expect(adding).rejects.toThrow('no secrets now');
    await expect(getPartner(desk.deps, 'demo', 'acme')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('takes two at once one after the other', async () => {
    const urls = ['https://a.example/', 'https://b.example/'];
    const partners = urls.map((url) => ({ target: { kind: 'webhook', url }, secret }) as const);
    const done = await Promise.all(partners.map((partner) => put(partner)));
    expect(done.map(({ status }) => status).sort()).toEqual(['changed', 'created']);
    expect(await journal(desk.deps.records)).toHaveLength(2);
  });

  it('does not keep a secret that another host was given meanwhile', async () => {
    await put({ target: sftp, secret: 'hush' });
    const elsewhere = { ...sftp, host: 'other.example' };
    const records = faultyRecords(desk.deps.records, {
      // After this call has looked, somebody moves the partner elsewhere.
      get: [{ after: () => put({ target: elsewhere, secret: 'other' }) }],
    });
    const moved = putPartner({ ...desk.deps, records }, desk.origin(), 'acme', {
      target: { ...sftp, folder: '/in' },
    });
    await expect(moved).rejects.toMatchObject({ details: [{ pointer: '/secret' }] });
    expect((await getPartner(desk.deps, 'demo', 'acme')).target).toEqual(elsewhere);
  });

  it('takes 500', async () => {
    for (let i = 0; i < 500; i++) await put({ target: email }, `p${i}`);
    await expect(put({ target: email }, 'one-more')).rejects.toMatchObject({ code: 'conflict' });
    expect((await put({ target: webhook, secret }, 'p7')).status).toBe('changed');
    expect((await put({ target: email }, 'acme', new PartnerDesk(desk.deps, 'other'))).status).toBe(
      'created',
    );
  });
});

describe('putPartner, of what is not valid', () => {
  const refused: [string, Partial<NewPartner> & { name?: string }, string][] = [
    ['no name', { name: '' }, '/name'],
    ['a name in upper case', { name: 'Acme' }, '/name'],
    ['a name with a separator', { name: 'a#b' }, '/name'],
    ['a name that begins with -', { name: '-a' }, '/name'],
    ['a name with a line break', { name: 'a\n' }, '/name'],
    ['a long name', { name: 'a'.repeat(64) }, '/name'],
    ['no URL', { target: { kind: 'webhook', url: 'partner' } }, '/target/url'],
    ['a file', { target: { kind: 'webhook', url: 'file:///etc/passwd' } }, '/target/url'],
    ['a script', { target: { kind: 'webhook', url: 'javascript:alert(1)' } }, '/target/url'],
    ['a user', { target: { kind: 'webhook', url: 'https://u@a.example/' } }, '/target/url'],
    ['a password', { target: { kind: 'webhook', url: 'https://:p@a.example/' } }, '/target/url'],
    ['a fragment', { target: { kind: 'webhook', url: 'https://a.example/#x' } }, '/target/url'],
    ['a system port', { target: { kind: 'webhook', url: 'https://a.example:25/' } }, '/target/url'],
    [
      'a long URL',
      { target: { kind: 'webhook', url: `https://a/${'x'.repeat(2048)}` } },
      '/target/url',
    ],
    ['a short secret', { secret: `whsec_${Buffer.alloc(23).toString('base64')}` }, '/secret'],
    ['a long secret', { secret: `whsec_${Buffer.alloc(65).toString('base64')}` }, '/secret'],
    ['a secret without prefix', { secret: Buffer.alloc(32).toString('base64') }, '/secret'],
    ['a secret that is no base64', { secret: `whsec_${'-'.repeat(44)}` }, '/secret'],
    ['no address', { target: { kind: 'email', to: [] } }, '/target/to'],
    [
      '11 addresses',
      { target: { kind: 'email', to: Array(11).fill('a@b.example') } },
      '/target/to',
    ],
    ['a header', { target: { kind: 'email', to: ['a@b.example\r\nBcc: e@f'] } }, '/target/to/0'],
    ['two in one', { target: { kind: 'email', to: ['a@b.example,c@d.example'] } }, '/target/to/0'],
    ['a named address', { target: { kind: 'email', to: ['A <a@b.example>'] } }, '/target/to/0'],
    ['a secret of mail', { target: email, secret }, '/secret'],
    ['a URL as host', { target: { ...sftp, host: 'sftp://a' } }, '/target/host'],
    ['a host with a space', { target: { ...sftp, host: 'a b' } }, '/target/host'],
    ['a system port of SFTP', { target: { ...sftp, port: 25 } }, '/target/port'],
    ['half a port', { target: { ...sftp, port: 2222.5 } }, '/target/port'],
    ['no port there is', { target: { ...sftp, port: 65_536 } }, '/target/port'],
    ['no user', { target: { ...sftp, username: '' } }, '/target/username'],
    ['a fingerprint in MD5', { target: { ...sftp, hostKey: 'MD5:00:11' } }, '/target/hostKey'],
    [
      'a fingerprint with padding',
      { target: { ...sftp, hostKey: `${sftp.hostKey}=` } },
      '/target/hostKey',
    ],
    ['a relative folder', { target: { ...sftp, folder: 'incoming' } }, '/target/folder'],
    ['a folder above', { target: { ...sftp, folder: '/in/../etc' } }, '/target/folder'],
    ['a folder with NUL', { target: { ...sftp, folder: '/in\u0000' } }, '/target/folder'],
    ['an empty password', { target: sftp, secret: '' }, '/secret'],
    ['a secret of 17 KiB', { target: sftp, secret: 'x'.repeat(17 * 1024) }, '/secret'],
  ];
  it.each(refused)('refuses %s, and stores nothing', async (_, change, pointer) => {
    const { name = 'acme', ...partner } = change;
    const given = { target: webhook, secret, ...partner };
    if (given.target.kind === 'email' && !('secret' in change)) given.secret = '';
    const { secret: key, target } = given;
    const wanted = key === '' && target.kind === 'email' ? { target } : { target, secret: key };
    const error = await put(wanted, name).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_request' });
    const { details } = error as { details: { pointer: string }[] };
    expect(details.map((detail) => detail.pointer)).toEqual([pointer]);
    if (key !== '') expect(JSON.stringify(details)).not.toContain(key);
    expect(await journal(desk.deps.records)).toEqual([]);
  });

  it('names all that is wrong at once', async () => {
    const target = { ...sftp, host: '', port: 1, folder: '' };
    await expect(put({ target, secret: 'x' }, '')).rejects.toMatchObject({
      details: [
        { pointer: '/name' },
        { pointer: '/target/host' },
        { pointer: '/target/port' },
        { pointer: '/target/folder' },
      ],
    });
  });
});

describe('listPartners', () => {
  it('lists by name, page by page, of one tenant', async () => {
    const stranger = new PartnerDesk(desk.deps, 'other');
    await put({ target: email }, 'x', stranger);
    for (const name of ['c', 'a', 'b']) await put({ target: email }, name);
    const first = await listPartners(desk.deps, 'demo', undefined, 2);
    expect(first.items.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await listPartners(desk.deps, 'demo', first.next ?? undefined, 2);
    expect(second.items.map(({ name }) => name)).toEqual(['c']);
    expect(second.next).toBeNull();
    await expect(getPartner(desk.deps, 'demo', 'x')).rejects.toMatchObject({ code: 'not_found' });
    await expect(getPartner(desk.deps, 'demo', '')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('deletePartner', () => {
  it('deletes it with its secret, once', async () => {
    await put({ target: webhook, secret });
    await deletePartner(desk.deps, desk.origin(), 'acme');
    expect(await held()).toBeUndefined();
    const gone = deletePartner(desk.deps, desk.origin(), 'acme');
    await expect(gone).rejects.toMatchObject({ code: 'not_found' });
    expect((await journal(desk.deps.records))[1]).toMatchObject({
      action: 'partner.deleted',
      subject: 'partner:acme',
      before: { target: webhook },
      after: null,
    });
    expect(await journal(desk.deps.records)).toHaveLength(2);
  });

  it('leaves no secret, also when an earlier call was cut short', async () => {
    await put({ target: webhook, secret });
    const secrets = {
      ...desk.deps.secrets,
      delete: async () => {
        throw new Unavailable('no secrets now');
      },
    };
    const cut = deletePartner({ ...desk.deps, secrets }, desk.origin(), 'acme');
    await expect(cut).rejects.toThrow('no secrets now');
    expect(await held()).toBe(secret);
    await expect(deletePartner(desk.deps, desk.origin(), 'acme')).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await held()).toBeUndefined();
  });

  it('touches nothing of another tenant', async () => {
    await put({ target: webhook, secret });
    const stranger = new PartnerDesk(desk.deps, 'other');
    await expect(deletePartner(desk.deps, stranger.origin(), 'acme')).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await held()).toBe(secret);
  });
});

it('writes a secret to no record, journal entry, log line or error', async () => {
  const written: unknown[] = [];
  const records = interceptMethods(desk.deps.records, { commit: 0 }, (_, args, call) => {
    written.push(args);
    return call();
  });
  const seeing = new PartnerDesk({ records });
  const login = { ...sftp, host: 'files' };
  await putPartner(seeing.deps, seeing.origin(), 'acme', { target: webhook, secret });
  await putPartner(seeing.deps, seeing.origin(), 'bolt', { target: login, secret: 'hush' });
  seeing.answer = () => ({ outcome: 'failed', detail: 'x' });
  await seeing.release(1, { p: 1 }, ['acme', 'bolt']);
  await seeing.due();
  seeing.at(5 * secondMs);
  await seeing.run(1);
  await deletePartner(seeing.deps, seeing.origin(), 'bolt');
  expect(seeing.sent).toHaveLength(4);
  expect(new Set(seeing.sent.map((one) => one.secret))).toEqual(new Set([secret, 'hush']));
  const all = JSON.stringify([written, seeing.deps.log.lines, await seeing.list(1)]);
  expect(all).toContain('partner.example');
  for (const one of [secret, secret.slice('whsec_'.length), 'hush']) expect(all).not.toContain(one);
});
