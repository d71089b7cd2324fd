import { beforeEach, describe, expect, it } from 'vitest';
import { cancelJob, retryJob } from '../../../src/core/jobs/manage-jobs.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { readClaimFile } from '../../../src/core/claims/read-claim.ts';
import { ClaimDesk } from './claim-desk.ts';

describe('a claim', () => {
  let desk: ClaimDesk;
  let id: string;
  beforeEach(async () => {
    desk = new ClaimDesk();
    ({ id } = await desk.file());
  });
  const state = async () => {
    const { status, decision, reason } = await desk.read(id);
    return { status, decision, reason };
  };
  const refOf = async () => ({ tenant: 'demo', id: (await desk.read(id)).job });
  const failed = { kind: 'failed', code: 'gone', message: 'the line is dead' } as const;

  it('is queued, in review, and reviewed with a decision', async () => {
    expect(await state()).toEqual({ status: 'QUEUED', decision: null, reason: null });
    const end = await desk.review(id);
    expect(await state()).toEqual({ status: 'IN_REVIEW', decision: null, reason: null });
    const result = { decision: 'approved', reason: 'the knee is bad', percent: 40 };
    await end({ kind: 'completed', result });
    expect(await state()).toEqual({
      status: 'REVIEWED',
      decision: 'approved',
      reason: 'the knee is bad',
    });
  });

  it('is queued again when an attempt failed, and has failed after the last', async () => {
    await (
      await desk.review(id)
    )(failed);
    expect(await state()).toEqual({ status: 'QUEUED', decision: null, reason: null });
    await desk.deps.clock.advance(60_000);
    await (
      await desk.review(id)
    )({ ...failed, final: true });
    expect(await state()).toEqual({
      status: 'FAILED',
      decision: null,
      reason: 'the line is dead',
    });
    await retryJob(desk.deps, desk.origin(), await refOf(), null);
    expect(await state()).toEqual({ status: 'QUEUED', decision: null, reason: null });
  });

  it('is rejected with the reason of the reviewer', async () => {
    await (
      await desk.review(id)
    )({ kind: 'rejected', validator: 'legible', reason: 'the scan is black' });
    expect(await state()).toEqual({
      status: 'REJECTED',
      decision: null,
      reason: 'the scan is black',
    });
  });

  it('is cancelled with the reason of whoever did', async () => {
    await cancelJob(desk.deps, desk.origin(), await refOf(), 'withdrawn');
    expect(await state()).toEqual({ status: 'CANCELLED', decision: null, reason: 'withdrawn' });
  });

  it.each<readonly [Json, string | null, string | null]>([
    [null, null, null],
    ['approved', null, null],
    [['approved'], null, null],
    [{}, null, null],
    [{ decision: 1, reason: { text: 'x' } }, null, null],
    [
      { decision: 'a'.repeat(100), reason: `${'b'.repeat(499)}\u{1f600}` },
      'a'.repeat(64),
      `${'b'.repeat(499)}\ufffd`,
    ],
  ])('shows of the result %j no more than two texts', async (result, decision, reason) => {
    await (
      await desk.review(id)
    )({ kind: 'completed', result });
    expect(await state()).toEqual({ status: 'REVIEWED', decision, reason });
  });

  it('is not found by another tenant, nor under another name', async () => {
    const stranger = new ClaimDesk(desk.deps, 'other');
    await expect(stranger.read(id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(readClaimFile(desk.deps, 'other', id)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await stranger.listed()).toEqual([]);
    await expect(desk.read('CLM-999')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the list of claims', () => {
  it('is newest first, whatever the page, with what has become of each', async () => {
    const desk = new ClaimDesk();
    const ids: string[] = [];
    for (let n = 0; n < 25; n++) {
      ids.unshift((await desk.file({ title: `claim ${n}` })).id);
      await desk.deps.clock.advance(1);
    }
    await (
      await desk.review(ids[3]!)
    )({ kind: 'completed', result: { decision: 'denied' } });
    const listed = await desk.listed();
    expect(listed.map(({ id }) => id)).toEqual(ids);
    expect(listed[3]).toEqual(await desk.read(ids[3]!));
    expect(listed[3]).toMatchObject({ status: 'REVIEWED', decision: 'denied' });
    for (const limit of [1, 2, 7, 24, 25, 26]) expect(await desk.listed(limit)).toEqual(listed);
  });

  it('is empty where there are none', async () => {
    expect(await new ClaimDesk().listed()).toEqual([]);
  });
});
