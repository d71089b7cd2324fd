import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../sdk/src/api/api.ts';
import { JobRejectedError } from '../../../sdk/src/jobs/job-errors.ts';
import { getClaim, submitClaim } from '../../../sdk/src/claims/submit-claim.ts';
import type { LeasedJob } from '../../../sdk/src/wire/job.ts';
import { makePdf } from '../../support/make-pdf.ts';
import { SdkDesk } from '../../support/sdk-desk.ts';

let desk: SdkDesk;
beforeEach(() => {
  desk = new SdkDesk();
  // An upload goes to where the file is kept, past the API.
  vi.stubGlobal('fetch', desk.fetch);
});
afterEach(() => void vi.unstubAllGlobals());

const large = () => makePdf({ sizeBytes: 4 * 1024 * 1024 + 1 });

async function review(verb: string, told: object): Promise<void> {
  const api = createApi(desk.connection());
  const { jobs } = await api.json<{ readonly jobs: readonly LeasedJob[] }>({
    method: 'POST',
    path: '/jobs/lease',
    json: { types: ['claim.review'] },
  });
  for (const { id, lease } of jobs) {
    await api.json({ method: 'POST', path: `/jobs/${id}/${verb}`, json: { lease, ...told } });
  }
}

describe('submitClaim', () => {
  it('files a PDF and tells how it was decided', async () => {
    const about = { title: 'My knee', kind: 'disability', reason: 'by mail' };
    const claim = await submitClaim(makePdf(), { ...about, connection: desk.connection() });
    expect(claim.id).toMatch(/^CLM-\d+$/);
    expect(await claim.status()).toMatchObject({
      claim_id: claim.id,
      status: 'QUEUED',
      title: 'My knee',
      kind: 'disability',
      claimant: 'service',
    });
    const reviewed = getClaim(claim.id, { connection: desk.connection() }).reviewed();
    await review('complete', { result: { decision: 'approved', reason: 'as the scan shows' } });
    expect(await reviewed).toMatchObject({
      status: 'REVIEWED',
      decision: 'approved',
      reason: 'as the scan shows',
    });
    expect(desk.calls.filter((call) => call.includes('uploads'))).toEqual([]);
  });

  it('says why there was no case for a review', async () => {
    const claim = await submitClaim(new Blob([makePdf()]), { connection: desk.connection() });
    await review('fail', { reject: { validator: 'legible', reason: 'the scan is black' } });
    const reviewed = claim.reviewed();
    await expect(reviewed).rejects.toBeInstanceOf(JobRejectedError);
    await expect(reviewed).rejects.toMatchObject({ validator: 'legible' });
  });

  it('puts a large file past the API, without a token, and once', async () => {
    const pdf = large();
    let failures = 1;
    desk.fault = (call) =>
      call.startsWith('PUT /uploads/') && failures-- > 0 ? 'lost' : undefined;
    const claim = await submitClaim(pdf, {
      title: 'A scan',
      subject: 'ravi',
      connection: desk.connection('portal'),
    });
    expect(await claim.status()).toMatchObject({
      sizeBytes: pdf.byteLength,
      title: 'A scan',
      claimant: 'ravi',
    });
    // The answer to the first was lost: the second found it there.
    expect(desk.calls.filter((call) => call.startsWith('PUT /uploads/'))).toHaveLength(2);
    const again = await submitClaim(pdf, { connection: desk.connection() });
    expect((await again.status()).file).toBe((await claim.status()).file);
  });

  it('is one claim, though its answer was lost', async () => {
    let left = 1;
    desk.fault = (call) => (call === 'POST /claims' && left-- > 0 ? 'lost' : undefined);
    const claim = await submitClaim(makePdf(), { connection: desk.connection() });
    const { items } = await createApi(desk.connection()).json<{
      readonly items: readonly { readonly claim_id: string }[];
    }>({ path: '/claims' });
    expect(items.map(({ claim_id: id }) => id)).toEqual([claim.id]);
  });

  it('refuses what is no PDF, small or large, and what the upload does not take', async () => {
    const connection = desk.connection();
    const text = new TextEncoder().encode('only called a PDF');
    await expect(submitClaim(text, { connection })).rejects.toMatchObject({
      code: 'invalid_document',
    });
    const zeros = new Uint8Array(5 * 1024 * 1024);
    await expect(submitClaim(zeros, { connection })).rejects.toMatchObject({
      code: 'invalid_document',
    });
    vi.stubGlobal('fetch', async () => new Response(null, { status: 403 }));
    await expect(submitClaim(large(), { connection })).rejects.toThrow('refused: 403');
    const leaving = AbortSignal.abort(new Error('enough'));
    await expect(submitClaim(large(), { connection, signal: leaving })).rejects.toThrow('enough');
  });
});
