import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { claimOperations } from '../../src/contract/operations/claim-operations.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { useCast } from '../support/cast.ts';
import { complete, fail, journalOfJob, lease, type LeasedJob } from '../support/job-calls.ts';
import { makePdf } from '../support/make-pdf.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { below, type StartService, withoutScope } from '../support/service.ts';
import { type BodyOf, clientFor } from '../support/service-client.ts';

const { fileClaim, getClaim, getClaimFile, listClaims, openUpload } = claimOperations;
const contentType = 'application/pdf';

/** The last of chapter 3 of the mission: what a veteran files, and who reviews it. */
export function describeClaims(name: string, start: StartService): void {
  describe(`${name}: claims`, () => {
    const cast = useCast(start);
    const reviews = new Map<string, LeasedJob>();

    it('are filed with a PDF, followed until they are reviewed, and proved', async () => {
      const { reader, auditor, service } = cast;
      const text = uniqueId('My knee');
      const pdf = makePdf({ text });
      const query = { title: text, kind: 'disability' };
      const filed = await reader.call(fileClaim, { query, bytes: pdf, contentType });
      expect(filed.status).toBe(202);
      const { claim_id: claim } = filed.body;
      expect(filed.body).toEqual({
        claim_id: expect.stringMatching(/^CLM-\d+$/),
        status: 'QUEUED',
      });
      expect(filed.headers.get('location')).toBe(below(service, `/claims/${claim}`));
      const file = digestOf(pdf);
      const queued = await read(claim);
      expect(queued).toMatchObject({ ...query, file, sizeBytes: pdf.byteLength, status: 'QUEUED' });
      expect(queued).toMatchObject({ decision: null, claimant: expect.any(String) });

      const held = await take(claim);
      expect(held).toMatchObject({ id: queued.job, data: { file, claimant: queued.claimant } });
      expect(await read(claim)).toMatchObject({ status: 'IN_REVIEW', decision: null });
      const given = await reader.call(getClaimFile, { params: { claim } });
      expect(given.bytes.equals(pdf)).toBe(true);
      expect(given.headers.get('content-disposition')).toContain(`"${claim}.pdf"`);
      expect(given.headers.get('content-security-policy')).toBe('sandbox');
      const decision = { decision: 'approved', reason: 'as the scan shows' };
      await complete(reader, held, { result: { ...decision, reviewer: 'ines' } });
      expect(await read(claim)).toMatchObject({ status: 'REVIEWED', ...decision });
      const { body: list } = await reader.call(listClaims, { query: { limit: 100 } });
      expect(list.items.find((item) => item.claim_id === claim)).toEqual(await read(claim));

      const journal = await journalOfJob(auditor, service, queued.job);
      expect(journal.map(({ action }) => action)).toEqual([
        'job.queued',
        'job.started',
        'job.completed',
      ]);
      expect(journal[0]).toMatchObject({
        actor: queued.filedBy,
        requestId: filed.headers.get('x-request-id'),
        after: { file, sizeBytes: pdf.byteLength, claimant: queued.claimant },
      });
      expect(journal[2]).toMatchObject({ actor: held.actor, after: { result: decision } });
    });

    it('whose file is only called a PDF are refused, and nothing is stored', async () => {
      const { reader } = cast;
      const pdf = makePdf({ text: uniqueId('broken') });
      const before = await everything();
      const files = {
        text: Buffer.from(`A letter, in a file called discharge.pdf. ${uniqueId('text')}`),
        'a page of HTML before it': Buffer.concat([Buffer.from('<html></html>\n'), pdf]),
        'a ZIP behind it': Buffer.concat([pdf, Buffer.from('PK\u0005\u0006'.padEnd(22, '\0'))]),
        'cut off': pdf.subarray(0, -10),
        'the beginning alone': Buffer.from('%PDF-1.7\n%%EOF\n'),
        encrypted: makePdf({ text: uniqueId('encrypted'), trailer: '/Encrypt 9 0 R' }),
      };
      for (const [what, bytes] of Object.entries(files)) {
        const { errors = [] } = await reader.refuse(
          fileClaim,
          { query: { title: 'discharge.pdf' }, bytes, contentType },
          'invalid_document',
        );
        expect(errors.length, what).toBeGreaterThan(0);
        for (const { pointer } of errors) expect(pointer, what).toMatch(/^byte:\d+$/);
        const json = { file: digestOf(bytes) };
        await reader.refuse(fileClaim, { json }, 'not_found');
      }
      const empty = { bytes: new Uint8Array(), contentType };
      await reader.refuse(fileClaim, empty, 'invalid_request');
      const typed = { bytes: pdf, contentType: 'text/plain' };
      await reader.refuse(fileClaim, typed, 'unsupported_media_type');
      const title = { query: { title: 'a\nb' }, bytes: pdf, contentType };
      await reader.refuse(fileClaim, title, 'invalid_request');
      expect(await everything()).toEqual(before);
    });

    it('with a large file are filed past the API, of exactly what was announced', async () => {
      const { reader } = cast;
      const pdf = makePdf({ text: uniqueId('scan'), sizeBytes: 6 * 1024 * 1024 });
      const posted = { bytes: pdf, contentType };
      await reader.refuse(fileClaim, posted, 'too_large');
      const [sizeBytes, file] = [pdf.byteLength, digestOf(pdf)];
      const json = { sizeBytes, sha256: file.slice('sha256:'.length) };
      const { body } = await reader.call(openUpload, { json });
      expect(body.file).toBe(file);
      await reader.refuse(fileClaim, { json: { file } }, 'not_found');
      const another = Buffer.from(pdf);
      another.write('X', 9);
      expect((await put(body.upload, another)).ok).toBe(false);
      await reader.refuse(fileClaim, { json: { file } }, 'not_found');
      expect((await put(body.upload, pdf)).status).toBe(200);
      const filed = await reader.call(fileClaim, { json: { file, title: 'A scan' } });
      const { claim_id: claim } = filed.body;
      expect(await read(claim)).toMatchObject({ file, sizeBytes, title: 'A scan' });
      const given = await reader.call(getClaimFile, { params: { claim } });
      expect(given.bytes.equals(pdf)).toBe(true);
      await complete(reader, await take(claim), { result: { decision: 'denied' } });
      expect(await read(claim)).toMatchObject({ status: 'REVIEWED', decision: 'denied' });
    });

    it('whose file was uploaded and is no PDF are refused, too', async () => {
      const { reader } = cast;
      const bytes = Buffer.from(`no PDF: ${uniqueId('text')}`);
      const file = digestOf(bytes);
      const json = { sizeBytes: bytes.byteLength, sha256: file.slice('sha256:'.length) };
      const { body } = await reader.call(openUpload, { json });
      expect((await put(body.upload, bytes)).status).toBe(200);
      await reader.refuse(fileClaim, { json: { file } }, 'invalid_document');
      for (const wish of [
        { ...json, sizeBytes: 16 * 1024 * 1024 + 1 },
        { ...json, sizeBytes: 0 },
        { ...json, sha256: json.sha256.toUpperCase() },
        { ...json, name: '../a.pdf' },
      ]) {
        await reader.refuse(openUpload, { json: wish }, 'invalid_request');
      }
    });

    it('filed twice under one key are one claim', async () => {
      const { reader } = cast;
      const pdf = makePdf({ text: uniqueId('twice') });
      const headers = { 'idempotency-key': uniqueId('claim') };
      const input = { query: { title: 'Once' }, bytes: pdf, contentType, headers };
      const answers = await Promise.all(
        Array.from({ length: 10 }, async () => reader.call(fileClaim, input)),
      );
      const [claim = '', ...more] = new Set(answers.map(({ body }) => body.claim_id));
      expect(more).toEqual([]);
      await complete(reader, await take(claim), { result: { decision: 'approved' } });
      const late = await reader.call(fileClaim, input);
      expect(late.body).toEqual({ claim_id: claim, status: 'REVIEWED' });
      expect(late.headers.get('idempotent-replayed')).toBe('true');
      const other = { ...input, bytes: makePdf({ text: uniqueId('another') }) };
      await reader.refuse(fileClaim, other, 'idempotency_key_reused');
    });

    it('may end otherwise: not legible, withdrawn, never reviewed', async () => {
      const { reader } = cast;
      const bytes = makePdf({ text: uniqueId('ends') });
      const filing = async () => {
        const { body } = await reader.call(fileClaim, { bytes, contentType });
        return body.claim_id;
      };
      const [black, withdrawn, lost] = [await filing(), await filing(), await filing()];
      const reject = { validator: 'legible', reason: 'the scan is black' };
      await fail(reader, await take(black), { reject });
      expect(await read(black)).toMatchObject({ status: 'REJECTED', reason: reject.reason });
      const { job } = await read(withdrawn);
      const headers = { 'x-reason': 'filed by mistake' };
      await reader.call(jobOperations.cancelJob, { params: { job }, headers });
      expect(await read(withdrawn)).toMatchObject({
        status: 'CANCELLED',
        reason: 'filed by mistake',
      });
      await fail(reader, await take(lost), { message: 'the archive is closed', final: true });
      const failed = await read(lost);
      expect(failed).toMatchObject({ status: 'FAILED', reason: 'the archive is closed' });
      await reader.call(jobOperations.retryJob, { params: { job: failed.job } });
      expect(await read(lost)).toMatchObject({ status: 'QUEUED', reason: null });
      await complete(reader, await take(lost), { result: { decision: 'approved' } });
      expect(await read(lost)).toMatchObject({ status: 'REVIEWED' });
    });

    it('are another tenant’s no more than its jobs are', async () => {
      const { reader, stranger, service } = cast;
      const pdf = makePdf({ text: uniqueId('secret') });
      const { body } = await reader.call(fileClaim, { bytes: pdf, contentType });
      const params = { claim: body.claim_id };
      // It may have a claim of the same number; never this one.
      const theirs = await stranger.fetch('GET', `/claims/${body.claim_id}`);
      if (theirs.status !== 404) expect(theirs.text).not.toContain(digestOf(pdf));
      await stranger.refuse(fileClaim, { json: { file: digestOf(pdf) } }, 'not_found');
      const onlyWork = await clientFor(service, 'demo-service', ['work:job']);
      await onlyWork.refuse(getClaimFile, { params }, withoutScope(service));
      await onlyWork.refuse(fileClaim, { bytes: pdf, contentType }, withoutScope(service));
      const headers = { 'x-subject': 'somebody-else' };
      const other = { bytes: pdf, contentType, headers };
      await reader.refuse(fileClaim, other, 'forbidden');
      const portal = await clientFor(service, 'demo-admin');
      const filed = await portal.call(fileClaim, other);
      const claim = await read(filed.body.claim_id);
      expect(claim.claimant).toBe('somebody-else');
      expect(claim.filedBy).not.toBe('somebody-else');
      for (const each of [params.claim, filed.body.claim_id]) {
        await complete(reader, await take(each));
      }
    });

    async function read(claim: string) {
      return (await cast.reader.call(getClaim, { params: { claim } })).body;
    }

    async function everything() {
      const [claims, jobs] = await Promise.all([
        cast.reader.call(listClaims, { query: { limit: 1 } }),
        cast.reader.call(jobOperations.listJobs, { query: { limit: 1 } }),
      ]);
      return [claims.body.items, jobs.body.items];
    }

    /** Leases the review of a claim. What comes before it is kept for whoever asks for it later. */
    async function take(claim: string): Promise<LeasedJob> {
      for (;;) {
        const found = reviews.get(claim);
        reviews.delete(claim);
        if (found !== undefined) return found;
        const wish = { leaseSeconds: 3600, limit: 20, waitSeconds: 5 };
        const more = await lease(cast.reader, 'claim.review', wish);
        if (more.length === 0) throw new Error(`no review of ${claim} waits`);
        for (const held of more) reviews.set(`CLM-${held.number}`, held);
      }
    }
  });
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

type Upload = BodyOf<typeof openUpload>['upload'];

/** As the upload says, without a token. */
function put({ method, url, headers }: Upload, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(url, { method, headers, body: bytes });
}
