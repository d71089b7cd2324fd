import { beforeEach, describe, expect, it } from 'vitest';
import {
  addAttachment,
  listAttachments,
  type NewAttachment,
  readAttachment,
} from '../../../src/core/attachments/attachments.ts';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';

const opinion: NewAttachment = {
  name: 'opinion.pdf',
  contentType: 'application/pdf',
  bytes: new TextEncoder().encode('%PDF-1.7'),
  reason: null,
};
const digest = sha256Hex(opinion.bytes);

describe('attachments', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.store({});
  });
  const add = (change: Partial<NewAttachment> = {}, id = 'p') =>
    addAttachment(deps, demo.origin(), id, { ...opinion, ...change });

  it('are stored beside the policy, and journaled', async () => {
    deps.clock.set(deps.clock.nowMs() + 1000);
    const added = await add({ reason: 'ticket 7' });
    const attachment = {
      name: 'opinion.pdf',
      digest,
      contentType: 'application/pdf',
      sizeBytes: 8,
      at: '2026-01-01T00:00:01.000Z',
      actor: 'ann',
      index: 1,
    };
    expect(added).toEqual({ status: 'stored', attachment });
    expect(await readAttachment(deps, 'demo', 'p', digest)).toEqual({
      attachment,
      bytes: opinion.bytes,
    });
    expect((await journal(deps.records))[1]).toMatchObject({
      action: 'attachment.added',
      subject: 'p',
      before: null,
      after: {
        name: 'opinion.pdf',
        digest: `sha256:${digest}`,
        contentType: 'application/pdf',
        sizeBytes: 8,
      },
      reason: 'ticket 7',
    });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('are the same when the same bytes come under the same name again', async () => {
    const first = await add();
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    deps.clock.set(deps.clock.nowMs() + 1000);
    const again = await addAttachment({ ...deps, records, blobs }, demo.origin(), 'p', opinion);
    expect(again).toEqual({ ...first, status: 'unchanged' });
    expect(calls.commit).toBe(0);
    expect(blobCalls.put).toBe(0);
  });

  it('are others under another name, with other bytes, or beside another policy', async () => {
    await new TenantCalls(deps, 'demo', 'q').store({});
    const added = [
      await add(),
      await add({ name: 'copy.pdf' }),
      await add({ bytes: new Uint8Array([1]) }),
      await add({}, 'q'),
    ];
    expect(added.map(({ status }) => status)).toEqual(Array(4).fill('stored'));
    const { items } = await listAttachments(deps, 'demo', 'p', undefined, 10);
    expect(items).toEqual([added[2], added[1], added[0]].map((one) => one?.attachment));
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('are stored once when many bring the same at the same time', async () => {
    const all = await Promise.all([add(), add(), add(), add()]);
    expect(all.filter(({ status }) => status === 'stored')).toHaveLength(1);
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(2);
  });

  it('are listed newest first, the same whatever the page', async () => {
    const names: string[] = [];
    for (let i = 0; i < 12; i++) {
      names.unshift(`${(i * 5) % 12}.txt`);
      await add({ name: names[0] ?? '', bytes: new Uint8Array([i % 3]) });
      if (i % 4 === 0) await demo.store({ version: `${i}.0.0` });
    }
    for (let limit = 1; limit <= 13; limit++) {
      const found: string[] = [];
      let cursor: number | undefined;
      do {
        const page = await listAttachments(deps, 'demo', 'p', cursor, limit);
        found.push(...page.items.map(({ name }) => name));
        cursor = page.next === null ? undefined : Number(page.next);
      } while (cursor !== undefined);
      expect(found).toEqual(names);
    }
    // A page that is not full is the last.
    expect((await listAttachments(deps, 'demo', 'p', undefined, 13)).next).toBeNull();
  });

  it('need a policy that the tenant has', async () => {
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    const own = { ...deps, blobs };
    const stranger = { ...demo.origin(), tenant: 'other' };
    await expect(addAttachment(own, stranger, 'p', opinion)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(add({}, 'q')).rejects.toMatchObject({ code: 'not_found' });
    await expect(listAttachments(deps, 'other', 'p', undefined, 10)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(calls.put).toBe(0);
    expect(await journal(deps.records, 'other')).toEqual([]);
  });

  it('are not found by who has none, though others have them', async () => {
    await add();
    await new TenantCalls(deps, 'demo', 'q').store({});
    await new TenantCalls(deps, 'other').store({});
    for (const [tenant, id, name] of [
      ['other', 'p', digest],
      ['demo', 'q', digest],
      ['demo', 'p', '0'.repeat(64)],
      ['demo', 'p', digest.slice(0, 10)],
    ] as const) {
      await expect(readAttachment(deps, tenant, id, name)).rejects.toMatchObject({
        code: 'not_found',
        message: 'The policy has no such attachment.',
      });
    }
  });
});
