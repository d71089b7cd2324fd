import { beforeEach, describe, expect, it } from 'vitest';
import { jobKey } from '../../../src/core/jobs/job-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import { hostilePdfs } from '../../support/hostile-pdfs.ts';
import { makePdf } from '../../support/make-pdf.ts';
import { ClaimApi, sha256 } from './claim-api.ts';

const MiB = 1024 * 1024;
const pdf = makePdf({ text: 'My knee' });
const json = { file: `sha256:${sha256(pdf)}` };

let api: ClaimApi;
beforeEach(() => {
  api = new ClaimApi();
});
const file = async (): Promise<string> => {
  const told = await api.ask('ravi', 'POST /claims', { body: pdf });
  expect(told.status, told.bytes.toString()).toBe(202);
  return String(told.body['claim_id']);
};
const claims = async (who = 'ravi') =>
  (await api.ask(who, 'GET /claims')).body['items'] as readonly Readonly<Record<string, unknown>>[];

describe('POST /claims', () => {
  it('takes a PDF, and tells of it until it is reviewed', async () => {
    const told = await api.ask('ravi', 'POST /claims?title=My%20knee&kind=disability', {
      body: pdf,
      headers: { 'x-reason': 'by mail' },
    });
    const id = String(told.body['claim_id']);
    expect([told.status, told.body]).toEqual([202, { claim_id: id, status: 'QUEUED' }]);
    expect(told.headers.get('location')).toBe(`/claims/${id}`);
    expect(told.headers.get('idempotent-replayed')).toBeNull();
    const claim = {
      claim_id: id,
      status: 'QUEUED',
      decision: null,
      reason: null,
      file: json.file,
      sizeBytes: pdf.byteLength,
      claimant: 'ravi',
      filedBy: 'ravi',
      filedAt: '2026-01-01T00:00:00.000Z',
      title: 'My knee',
      kind: 'disability',
      job: expect.any(String),
    };
    expect((await api.ask('ravi', `GET /claims/${id}`)).body).toEqual(claim);

    const lease = { types: ['claim.review'] };
    const leased = await api.ask('reviewer', 'POST /jobs/lease', { json: lease });
    const [job] = leased.body['jobs'] as [Record<string, unknown>];
    expect(`CLM-${String(job['number'])}`).toBe(id);
    expect(job['data']).toEqual({
      file: json.file,
      sizeBytes: pdf.byteLength,
      claimant: 'ravi',
      title: 'My knee',
      kind: 'disability',
    });
    const inReview = await api.ask('ravi', `GET /claims/${id}`);
    expect(inReview.body).toEqual({ ...claim, status: 'IN_REVIEW' });
    expect((await api.ask('reviewer', `GET /claims/${id}/file`)).bytes.equals(pdf)).toBe(true);
    const result = { decision: 'approved', reason: 'as the scan shows' };
    await api.ask('reviewer', `POST /jobs/${String(job['id'])}/complete`, {
      json: { lease: job['lease'], result },
    });
    const reviewed = { ...claim, status: 'REVIEWED', ...result };
    expect((await api.ask('ravi', `GET /claims/${id}`)).body).toEqual(reviewed);
    expect(await claims()).toEqual([reviewed]);
  });

  it('is for whom the caller may speak, and nobody else', async () => {
    const headers = { 'x-subject': 'maya', 'x-region': 'NCR' };
    await api.ask('portal', 'POST /claims', { body: pdf, headers });
    const [claim] = await claims();
    expect(claim).toMatchObject({ claimant: 'maya', filedBy: 'portal' });
    const key = jobKey({ tenant: 'demo', id: String(claim?.['job']) }, api.deps.jobJournals);
    const review = await getRecord(api.deps, key);
    expect(review?.value).toMatchObject({ subject: 'maya', region: 'NCR' });
    await api.refused(403, 'ravi', 'POST /claims', { body: pdf, headers });
    expect(await claims()).toHaveLength(1);
  });

  it('answers a repeat with the same claim', async () => {
    const headers = { 'idempotency-key': '"k-1"' };
    const first = await api.ask('ravi', 'POST /claims', { body: pdf, headers });
    const again = await api.ask('ravi', 'POST /claims', { body: pdf, headers });
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = makePdf({ text: 'My back' });
    await api.refused(422, 'ravi', 'POST /claims', { body: other, headers });
    expect(await claims()).toHaveLength(1);
  });

  it('goes by the content, never by what it is called', async () => {
    const text = Buffer.from('I am no PDF, whatever my name is.\n');
    const headers = { 'content-disposition': 'attachment; filename="claim.pdf"' };
    const told = await api.ask('ravi', 'POST /claims?title=claim.pdf', { body: text, headers });
    expect([told.status, told.body['code']]).toEqual([422, 'invalid_document']);
    for (const [name, bytes] of Object.entries(hostilePdfs)) {
      const pointers = await api.refused(422, 'ravi', 'POST /claims', { body: Buffer.from(bytes) });
      expect(pointers, name).not.toEqual([]);
      for (const pointer of pointers) expect(pointer, name).toMatch(/^byte:\d+$/);
    }
    expect(await claims()).toEqual([]);
  });

  it('takes 5 MiB and no byte more', async () => {
    const most = makePdf({ sizeBytes: 5 * MiB });
    expect((await api.ask('ravi', 'POST /claims', { body: most })).status).toBe(202);
    await api.refused(413, 'ravi', 'POST /claims', { body: makePdf({ sizeBytes: 5 * MiB + 1 }) });
    expect(await claims()).toMatchObject([{ sizeBytes: 5 * MiB }]);
  });

  it.each([
    ['no body', {}, 400, ['']],
    ['another type', { body: pdf, type: 'text/plain' }, 415, []],
    ['no type', { body: pdf, type: '' }, 415, []],
    ['a packed body', { body: pdf, headers: { 'content-encoding': 'gzip' } }, 415, []],
    ['a PDF as JSON', { body: pdf, type: 'application/json' }, 400, ['']],
    ['no JSON', { body: '{', type: 'application/json' }, 400, ['']],
    ['JSON of another kind', { json: ['x'] }, 400, ['']],
    ['a name twice', { body: `{"file":"x","file":"y"}`, type: 'application/json' }, 400, ['']],
    ['JSON in a packed name', { json: { ...json, sha256: 'x' } }, 400, ['']],
    ['no file', { json: {} }, 400, ['/file']],
    ['a file without its algorithm', { json: { file: sha256(pdf) } }, 400, ['/file']],
    ['a title of two lines', { json: { ...json, title: 'a\nb' } }, 400, ['/title']],
    ['a title that is too long', { json: { ...json, title: 'a'.repeat(201) } }, 400, ['/title']],
    ['much JSON', { body: `${' '.repeat(5000)}{}`, type: 'application/json' }, 413, []],
    ['a file that is not there', { json }, 404, []],
    [
      'an idempotency key without an end',
      { body: pdf, headers: { 'idempotency-key': '"a' } },
      400,
      ['header:idempotency-key'],
    ],
  ] as const)('refuses %s', async (_, asked, status, pointers) => {
    expect(await api.refused(status, 'ravi', 'POST /claims', asked)).toEqual(pointers);
    expect(await claims()).toEqual([]);
  });

  it('refuses a query that it does not know, and one that is beside JSON', async () => {
    expect(await api.refused(400, 'ravi', 'POST /claims?titel=x', { body: pdf })).toEqual([
      'query:titel',
    ]);
    expect(await api.refused(400, 'ravi', 'POST /claims?title=x', { json })).toEqual([
      'query:title',
    ]);
  });

  it('needs the right to it', async () => {
    await api.refused(401, 'nobody', 'POST /claims', { body: pdf });
    for (const who of ['reviewer', 'reader']) {
      await api.refused(403, who, 'POST /claims', { body: pdf });
      await api.refused(403, who, 'POST /claims/uploads', { json: {} });
    }
    expect(await claims()).toEqual([]);
  });
});

describe('a file that is uploaded first', () => {
  const large = makePdf({ sizeBytes: 6 * MiB });
  const wish = { sizeBytes: large.byteLength, sha256: sha256(large) };

  it('is filed by its digest', async () => {
    const opened = await api.ask('ravi', 'POST /claims/uploads', { json: wish });
    expect([opened.status, opened.body]).toEqual([
      201,
      {
        upload: {
          method: 'PUT',
          url: expect.stringMatching(/^http:\/\/127\.0\.0\.1\/uploads\/[\w-]+\.[\w-]+$/),
          headers: { 'content-type': 'application/pdf' },
          expiresAt: '2026-01-01T00:15:00.000Z',
        },
        file: `sha256:${wish.sha256}`,
      },
    ]);
    const filing = { file: opened.body['file'], title: 'My knee' };
    await api.refused(404, 'ravi', 'POST /claims', { json: filing });
    expect((await api.put(opened.body, large)).status).toBe(200);
    expect((await api.put(opened.body, large)).status).toBe(412);
    await api.refused(404, 'stranger', 'POST /claims', { json: filing });
    const filed = await api.ask('ravi', 'POST /claims', { json: filing });
    expect([filed.status, filed.body['status']]).toEqual([202, 'QUEUED']);
    const id = String(filed.body['claim_id']);
    expect((await api.ask('ravi', `GET /claims/${id}`)).body).toMatchObject({
      file: `sha256:${wish.sha256}`,
      sizeBytes: 6 * MiB,
      title: 'My knee',
    });
    expect((await api.ask('ravi', `GET /claims/${id}/file`)).bytes.equals(large)).toBe(true);
  });

  it('is checked when it is filed', async () => {
    const text = Buffer.from('no PDF');
    const opened = await api.ask('ravi', 'POST /claims/uploads', {
      json: { sizeBytes: text.byteLength, sha256: sha256(text) },
    });
    expect((await api.put(opened.body, text)).status).toBe(200);
    await api.refused(422, 'ravi', 'POST /claims', { json: { file: opened.body['file'] } });
    expect(await claims()).toEqual([]);
  });

  it.each([
    [{}, ['/sizeBytes', '/sha256']],
    [{ ...wish, sizeBytes: 0 }, ['/sizeBytes']],
    [{ ...wish, sizeBytes: 16 * MiB + 1 }, ['/sizeBytes']],
    [{ ...wish, sha256: wish.sha256.toUpperCase() }, ['/sha256']],
    [{ ...wish, sha256: 'sha256:x' }, ['/sha256']],
    [{ ...wish, tenant: 'other' }, ['']],
  ])('is not opened for %j', async (asked, pointers) => {
    const call = 'POST /claims/uploads';
    expect(await api.refused(400, 'ravi', call, { json: asked })).toEqual(pointers);
  });
});

describe('claims', () => {
  it('are listed page by page, newest first', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.unshift(await file());
      await api.deps.clock.advance(1);
    }
    const found: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await api.ask('ravi', `GET /claims?limit=2${cursor}`);
      found.push(...(body['items'] as { claim_id: string }[]).map((item) => item.claim_id));
      cursor = body['next'] === null ? '' : `&cursor=${body['next'] as string}`;
    } while (cursor !== '');
    expect(found).toEqual(ids);
    await api.refused(400, 'ravi', 'GET /claims?limit=101');
    await api.refused(400, 'ravi', 'GET /claims?cursor=IyE');
  });

  it('are for the tenant alone, and for who may read them', async () => {
    const id = await file();
    expect(await claims('stranger')).toEqual([]);
    for (const path of [`/claims/${id}`, `/claims/${id}/file`] as const) {
      await api.refused(404, 'stranger', `GET ${path}`);
      for (const who of ['writer', 'reader']) await api.refused(403, who, `GET ${path}`);
    }
    await api.refused(403, 'writer', 'GET /claims');
  });

  it.each(['CLM-0', 'CLM-01', 'clm-1', '1', 'CLM-1x', 'uploads', `CLM-${'9'.repeat(16)}`])(
    'have no such name as %s',
    async (name) => {
      expect(await api.refused(400, 'ravi', `GET /claims/${name}`)).toEqual(['path:claim']);
    },
  );

  it('are not found under a number that none has', async () => {
    for (const name of ['CLM-7', `CLM-${'9'.repeat(15)}`]) {
      await api.refused(404, 'ravi', `GET /claims/${name}`);
      await api.refused(404, 'ravi', `GET /claims/${name}/file`);
    }
  });

  it('give their files out as downloads, and never as pages', async () => {
    const id = await file();
    const { headers, bytes } = await api.ask('reviewer', `GET /claims/${id}/file`);
    expect(bytes.equals(pdf)).toBe(true);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="${id}.pdf"`,
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${json.file}"`,
    });
  });
});
