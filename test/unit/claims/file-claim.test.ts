import { beforeEach, describe, expect, it } from 'vitest';
import { claimsPartition } from '../../../src/core/claims/claim-keys.ts';
import type { Filing } from '../../../src/core/claims/file-claim.ts';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { processDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { hostilePdfs } from '../../support/hostile-pdfs.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { makePdf } from '../../support/make-pdf.ts';
import { ClaimDesk } from './claim-desk.ts';

const pdf = makePdf({ text: 'My knee' });
const digest = sha256Hex(pdf);
const file = { bytes: pdf };

describe('a claim', () => {
  let desk: ClaimDesk;
  beforeEach(() => {
    desk = new ClaimDesk();
  });
  const nothingHappened = async () => {
    expect(await desk.journal()).toEqual([]);
    expect(await desk.listed()).toEqual([]);
  };

  it('is filed in one commit, with its job and the entry that tells of both', async () => {
    const { port: records, calls } = countingRecords(desk.deps.records);
    const own = new ClaimDesk(processDeps(desk.deps, { records }));
    const filing: Partial<Filing> = { file, title: 'Knee', kind: 'disability', reason: 'by mail' };
    const filed = await own.file(filing);
    expect(filed).toEqual({
      id: expect.stringMatching(/^CLM-[1-9]\d*$/),
      status: 'QUEUED',
      isRepeat: false,
    });
    expect(calls.commit).toBe(1);
    const claim = await desk.read(filed.id);
    expect(claim).toEqual({
      id: filed.id,
      status: 'QUEUED',
      decision: null,
      reason: null,
      job: expect.any(String),
      digest,
      sizeBytes: pdf.byteLength,
      claimant: 'ravi',
      filedBy: 'portal',
      filedAt: '2026-01-01T00:00:00.000Z',
      title: 'Knee',
      kind: 'disability',
    });
    const told = {
      file: `sha256:${digest}`,
      sizeBytes: pdf.byteLength,
      claimant: 'ravi',
      title: 'Knee',
      kind: 'disability',
    };
    const job = await desk.jobOf(filed.id);
    expect(job).toMatchObject({
      id: claim.job,
      number: Number(filed.id.slice(4)),
      type: 'claim.review',
      status: 'queued',
      actor: 'portal',
      subject: 'ravi',
      data: told,
      isKept: true,
    });
    expect(await desk.journal()).toMatchObject([
      {
        actor: 'portal',
        action: 'job.queued',
        subject: `job:${claim.job}`,
        before: null,
        after: { type: 'claim.review', subject: 'ravi', ...told },
        requestId: 'request-1',
        reason: 'by mail',
      },
    ]);
    expect(Buffer.from((await desk.deps.blobs.get({ tenant: 'demo', digest }))!)).toEqual(pdf);
  });

  it('stores the file before it tells of it', async () => {
    const blobs = faultyBlobs(desk.deps.blobs, { put: ['not-written'] });
    const own = new ClaimDesk(processDeps(desk.deps, { blobs }));
    await expect(own.file({ file })).rejects.toMatchObject({ code: 'unavailable' });
    await nothingHappened();
  });

  it.each(Object.entries(hostilePdfs))('is not made of %s', async (_, bytes) => {
    const { port: blobs, calls } = countingBlobs(desk.deps.blobs);
    const own = new ClaimDesk(processDeps(desk.deps, { blobs }));
    await expect(own.file({ file: { bytes } })).rejects.toMatchObject({
      code: 'invalid_document',
      details: expect.arrayContaining([
        { pointer: expect.any(String), detail: expect.any(String) },
      ]),
    });
    expect(calls.put).toBe(0);
    await nothingHappened();
  });

  it('is not made of nothing', async () => {
    await expect(desk.file({ file: { bytes: new Uint8Array() } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await nothingHappened();
  });

  it('is made of a file that was uploaded before, and read again', async () => {
    await desk.deps.blobs.put({ tenant: 'demo', digest }, pdf);
    const { id } = await desk.file({ file: { digest } });
    expect(await desk.read(id)).toMatchObject({ digest, sizeBytes: pdf.byteLength });
  });

  it('is not made of what is not there, of what another tenant has, or of other bytes', async () => {
    const { blobs } = desk.deps;
    await expect(desk.file({ file: { digest } })).rejects.toMatchObject({ code: 'not_found' });
    await blobs.put({ tenant: 'other', digest }, pdf);
    await expect(desk.file({ file: { digest } })).rejects.toMatchObject({ code: 'not_found' });
    const text = Buffer.from('no PDF');
    await blobs.put({ tenant: 'demo', digest: sha256Hex(text) }, text);
    await expect(desk.file({ file: { digest: sha256Hex(text) } })).rejects.toMatchObject({
      code: 'invalid_document',
    });
    // What a store must not do: it has other bytes than it says.
    const lying = interceptMethods(blobs, { get: 0 }, async () => makePdf({ text: 'Another' }));
    const own = new ClaimDesk(processDeps(desk.deps, { blobs: lying }));
    await expect(own.file({ file: { digest } })).rejects.toMatchObject({
      code: 'invalid_document',
      details: [{ pointer: '/file', detail: 'is not the digest of what was uploaded' }],
    });
    await nothingHappened();
  });

  it('may be of the same file as another', async () => {
    const ids = [(await desk.file({ file })).id, (await desk.file({ file })).id];
    expect(new Set(ids).size).toBe(2);
    expect((await desk.listed()).map((each) => each.digest)).toEqual([digest, digest]);
  });

  it('has a number of its own, however many are filed at once', async () => {
    const filed = await Promise.all(Array.from({ length: 30 }, () => desk.file({ file })));
    const ids = filed.map(({ id }) => id);
    expect(new Set(ids).size).toBe(30);
    expect((await desk.listed()).map(({ id }) => id).sort()).toEqual(ids.sort());
  });
});

describe('a claim under an idempotency key', () => {
  let desk: ClaimDesk;
  beforeEach(() => {
    desk = new ClaimDesk();
  });
  const filing: Partial<Filing> = { file, title: 'Knee', idempotencyKey: 'k1' };

  it('is the same when it is filed again, also when it has gone on', async () => {
    const first = await desk.file(filing);
    expect(await desk.file(filing)).toEqual({ ...first, isRepeat: true });
    const end = await desk.review(first.id);
    expect(await desk.file(filing)).toEqual({ ...first, status: 'IN_REVIEW', isRepeat: true });
    await end({ kind: 'completed', result: { decision: 'approved' } });
    expect(await desk.file(filing)).toEqual({ ...first, status: 'REVIEWED', isRepeat: true });
    // The file may come the other way: what is filed is the same.
    expect(await desk.file({ ...filing, file: { digest } })).toMatchObject({ id: first.id });
    expect(await desk.listed()).toHaveLength(1);
  });

  it('is one, however often it is filed at once', async () => {
    const filed = await Promise.all(Array.from({ length: 8 }, () => desk.file(filing)));
    expect(new Set(filed.map(({ id }) => id)).size).toBe(1);
    expect(filed.filter(({ isRepeat }) => !isRepeat)).toHaveLength(1);
    expect(await desk.listed()).toHaveLength(1);
    expect(await desk.journal()).toHaveLength(1);
  });

  it.each([
    ['another file', { file: { bytes: makePdf({ text: 'My back' }) } }],
    ['another title', { title: 'Back' }],
    ['a kind', { kind: 'pension' }],
    ['another claimant', { claimant: 'maya' }],
  ])('is refused with %s', async (_, change) => {
    await desk.file(filing);
    await expect(desk.file({ ...filing, ...change })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    expect(await desk.listed()).toHaveLength(1);
  });

  it('is another of another caller, and of another tenant', async () => {
    const other = new ClaimDesk(desk.deps, 'other');
    const [mine, theirs] = [await desk.file(filing), await desk.file(filing, 'kiosk')];
    expect(await other.file(filing)).toMatchObject({ isRepeat: false });
    expect(mine.id).not.toBe(theirs.id);
    expect((await desk.listed()).map(({ filedBy }) => filedBy)).toEqual(['kiosk', 'portal']);
    expect(await other.listed()).toHaveLength(1);
  });

  const patterns: Fault[][] = [
    ['not-written'],
    ['written-but-failed'],
    ['written-but-failed', 'conflict'],
    ['conflict', 'written-but-failed'],
    ['not-written', 'not-written', 'not-written'],
    ['written-but-failed', 'written-but-failed', 'written-but-failed'],
  ];
  it.each(patterns)('is one, though the store fails: %s %s %s', async (...faults) => {
    const records = faultyRecords(desk.deps.records, { commit: faults });
    const own = new ClaimDesk(processDeps(desk.deps, { records }));
    const first = await own.file(filing).catch((error: unknown) => error);
    const again = await own.file(filing);
    if (!(first instanceof Error)) expect(again).toMatchObject({ id: (first as typeof again).id });
    expect((await desk.listed()).map(({ id }) => id)).toEqual([again.id]);
    expect(await desk.journal()).toHaveLength(1);
  });
});

it('a claim is written whole or not at all', async () => {
  const desk = new ClaimDesk();
  const records = faultyRecords(desk.deps.records, () => 'not-written');
  await expect(new ClaimDesk(processDeps(desk.deps, { records })).file()).rejects.toMatchObject({
    code: 'unavailable',
  });
  const partition = claimsPartition('demo');
  expect(await desk.deps.records.query({ partition, limit: 10 })).toEqual([]);
  expect(await desk.journal()).toEqual([]);
});
