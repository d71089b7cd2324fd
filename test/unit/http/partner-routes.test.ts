import { describe, expect, it } from 'vitest';
import { commit } from '../../../src/core/journal/commit.ts';
import { deliveryWrites } from '../../../src/core/partners/delivery-writes.ts';
import { changeNotices } from '../../../src/core/partners/change-notices.ts';
import { ApiDesk } from './api-desk.ts';

const hush = `whsec_${Buffer.from('hush, nobody may ever see this').toString('base64')}`;
const webhook = { kind: 'webhook', url: 'https://state.example/hook' } as const;
const sftp = {
  kind: 'sftp',
  host: 'files.state.example',
  username: 'hms',
  hostKey: `SHA256:${'a'.repeat(43)}`,
  folder: '/incoming',
} as const;
const put = 'PUT /api/partners/state-1';

describe('a partner', () => {
  it.each([
    ['webhook', webhook, { secret: hush }],
    ['email', { kind: 'email', to: ['rules@state.example'] }, {}],
    ['sftp', { ...sftp, port: 22 }, { password: 'hush hush' }],
    ['sftp', { ...sftp, port: 2222 }, { privateKey: '-----BEGIN X-----\nhush\n-----END X-----' }],
  ])(
    'by %s is added, shown, changed and deleted, and never its secret',
    async (_, shown, secret) => {
      const desk = new ApiDesk();
      const made = await desk.ask('admin', put, { json: { ...shown, ...secret } });
      expect(made.status).toBe(201);
      expect(made.headers.get('location')).toBe('/api/partners/state-1');
      expect(made.body).toMatchObject({ name: 'state-1', ...shown, createdBy: 'admin' });
      // Without the secret again: it has one.
      const again = await desk.ask('admin', put, { json: shown });
      expect([again.status, again.body]).toEqual([200, made.body]);
      const read = await desk.ask('editor', 'GET /api/partners/state-1');
      const list = await desk.ask('editor', 'GET /api/partners');
      expect(list.body).toEqual({ items: [read.body], next: null });
      for (const { text } of [made, again, read, list]) expect(text).not.toContain('hush');
      for (const { text } of [made, read, list]) expect(text).not.toContain(hush);
      const stored = await desk.deps.secrets.get({ tenant: 'demo', name: 'partner/state-1' });
      expect(stored).toBe(Object.values(secret)[0]);
      const gone = await desk.ask('admin', 'DELETE /api/partners/state-1');
      expect([gone.status, gone.text]).toEqual([204, '']);
      await desk.refused(404, 'admin', 'DELETE /api/partners/state-1');
      await desk.refused(404, 'editor', 'GET /api/partners/state-1');
    },
  );

  it.each([
    ['no kind', { url: 'https://x.example' }, '/kind'],
    ['a secret of email', { kind: 'email', to: ['a@b.example'], secret: hush }, ''],
    ['an address that is none', { kind: 'email', to: ['nobody'] }, '/to/0'],
    ['no secret of a webhook', webhook, '/secret'],
    ['a weak secret', { ...webhook, secret: 'whsec_aHVzaA==' }, '/secret'],
    ['a URL that is none', { ...webhook, url: 'state', secret: hush }, '/url'],
    ['no secret of SFTP', sftp, '/password'],
    ['two secrets', { ...sftp, password: 'a', privateKey: '-----BEGIN ' }, '/password'],
    ['a key as a password', { ...sftp, password: '\n-----BEGIN ' }, '/password'],
    ['a password as a key', { ...sftp, privateKey: 'hush' }, '/privateKey'],
    ['a port of another service', { ...sftp, port: 25, password: 'a' }, '/port'],
    ['a half character', { ...sftp, password: '\ud800' }, '/password'],
    ['a key with a half', { ...sftp, privateKey: '-----BEGIN \ud800' }, '/privateKey'],
  ])('is refused for %s, without a word of the secret', async (_, json, pointer) => {
    const desk = new ApiDesk();
    const told = await desk.ask('admin', put, { json });
    expect(told.status).toBe(400);
    const errors = told.body['errors'] as { pointer: string }[];
    expect(errors.map((each) => each.pointer)).toEqual([pointer]);
    expect(told.text).not.toContain('aHVzaA');
    expect(told.text).not.toContain('hush');
    expect(await desk.done('admin', 'GET /api/partners')).toEqual({ items: [], next: null });
  });

  it('is for administrators to change, and of one tenant', async () => {
    const desk = new ApiDesk();
    const json = { ...webhook, secret: hush };
    await desk.refused(403, 'editor', put, { json });
    await desk.refused(403, 'editor', 'DELETE /api/partners/state-1');
    await desk.refused(403, 'reader', 'GET /api/partners');
    await desk.done('admin', put, { json });
    await desk.refused(404, 'stranger', 'GET /api/partners/state-1');
    await desk.refused(404, 'stranger', 'DELETE /api/partners/state-1');
    expect(await desk.done('stranger', 'GET /api/partners')).toEqual({ items: [], next: null });
  });

  it('leaves no secret in the log or the journal', async () => {
    const desk = new ApiDesk();
    await desk.done('admin', put, { json: { ...sftp, password: 'hush hush' } });
    expect(JSON.stringify(desk.deps.log.lines)).not.toContain('hush');
    const told = await desk.ask('admin', 'GET /api/audit');
    expect(told.text).toContain('partner.put');
    expect(told.text).not.toContain('hush');
  });
});

describe('deliveries', () => {
  const ref = { tenant: 'demo', run: 1, kind: 'released' } as const;
  const digest = 'c'.repeat(64);

  async function delivered(): Promise<ApiDesk> {
    const desk = new ApiDesk();
    const { deps } = desk;
    await desk.done('admin', put, { json: { ...webhook, secret: hush } });
    const snapshot = await desk.rule('epa', '2.0.0');
    const json = { policies: [{ id: 'epa', snapshot }], partners: ['state-1'] };
    await desk.done('editor', 'POST /api/runs', { json });
    const policies = [{ id: 'epa', gen: 4, snapshot, version: '2.0.0', digest }];
    const notices = { ...ref, channel: 'prod', policies, partners: ['state-1'] } as const;
    const origin = { tenant: 'demo', actor: 'hms-svc', requestId: 'r' };
    const entry = {
      action: 'run.released',
      subject: 'run:1',
      before: null,
      after: {},
      reason: null,
    };
    await commit(deps, origin, async () => ({
      kind: 'change',
      entry,
      writes: ({ at }) => deliveryWrites(deps, { ...notices, reason: null, at }),
      result: () => null,
    }));
    return desk;
  }

  it('are shown with their run, and of no other', async () => {
    const desk = await delivered();
    const page = await desk.done('reader', 'GET /api/runs/1/deliveries');
    expect(page).toMatchObject({
      items: [
        {
          run: 1,
          partner: 'state-1',
          kind: 'released',
          status: 'pending',
          policies: [{ id: 'epa', gen: 4, digest: `sha256:${digest}` }],
          attempts: [],
        },
      ],
      next: null,
    });
    await desk.refused(404, 'reader', 'GET /api/runs/2/deliveries');
    await desk.refused(404, 'stranger', 'GET /api/runs/1/deliveries');
  });

  it('begin anew when they have ended, and are asked for', async () => {
    const desk = await delivered();
    const page = await desk.done('reader', 'GET /api/runs/1/deliveries');
    const [{ id } = { id: '' }] = page['items'] as { id: string }[];
    const call = `POST /api/deliveries/${id}/redeliver` as const;
    await desk.refused(409, 'editor', call);
    await changeNotices(desk.deps, ref, (record) => ({
      ...record,
      deliveries: record.deliveries.map((one) => ({ ...one, status: 'exhausted' as const })),
    }));
    await desk.refused(403, 'reader', call);
    await desk.refused(404, 'stranger', call);
    await desk.refused(404, 'editor', 'POST /api/deliveries/nothing/redeliver');
    const begun = await desk.ask('editor', call);
    expect([begun.status, begun.body['id'], begun.body['status']]).toEqual([202, id, 'pending']);
  });
});
