import * as fc from 'fast-check';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobRef, BlobStore } from '../../src/ports/blob-store.ts';
import { expectDefect } from '../support/expect-defect.ts';

interface BlobStoreFixture {
  readonly blobs: BlobStore;
  readonly close?: () => Promise<void> | void;
}

/** What other tests wrote may still be there. */
export type MakeBlobStore = () => Promise<BlobStoreFixture>;

export interface BlobStoreSuiteOptions {
  /** Of each property, some 10 calls each. */
  readonly propertyRuns?: number;
}

const badRefs: readonly (readonly [name: string, change: Partial<BlobRef>])[] = [
  ['an empty tenant', { tenant: '' }],
  ['the folder above as tenant', { tenant: '..' }],
  ['this folder as tenant', { tenant: '.' }],
  ['a hidden folder as tenant', { tenant: '.tmp' }],
  ['a tenant with a path', { tenant: 'a/../b' }],
  ['a tenant with a backslash', { tenant: 'a\\b' }],
  ['a tenant with NUL', { tenant: 'a\u0000' }],
  ['a tenant with a line break', { tenant: 'a\n' }],
  ['a tenant in upper case', { tenant: 'Demo' }],
  ['a tenant of 200 characters', { tenant: 'a'.repeat(200) }],
  ['an empty digest', { digest: '' }],
  ['a short digest', { digest: 'a'.repeat(63) }],
  ['a long digest', { digest: 'a'.repeat(65) }],
  ['a digest in upper case', { digest: 'A'.repeat(64) }],
  ['a digest with a path', { digest: `${'../'.repeat(20)}etc/` }],
  ['a digest with a line break', { digest: `${'a'.repeat(64)}\n` }],
];

/** What every BlobStore must do. Durability is tested per adapter: it takes a crash. */
export function describeBlobStore(
  name: string,
  make: MakeBlobStore,
  options: BlobStoreSuiteOptions = {},
): void {
  describe(`BlobStore: ${name}`, () => {
    let fixture: BlobStoreFixture;
    let blobs: BlobStore;
    let tenant: string;

    beforeEach(async () => {
      fixture = await make();
      blobs = fixture.blobs;
      tenant = `t-${randomUUID()}`;
    });
    afterEach(async () => await fixture.close?.());

    const refOf = (bytes: Uint8Array): BlobRef => ({
      tenant,
      digest: createHash('sha256').update(bytes).digest('hex'),
    });
    const expectBlob = async (ref: BlobRef, bytes: Uint8Array): Promise<void> => {
      const found = await blobs.get(ref);
      expect(found).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(found!, bytes)).toBe(0);
      expect(await blobs.head(ref)).toEqual({ sizeBytes: bytes.byteLength });
    };

    it('answers undefined where there is no blob', async () => {
      const ref = refOf(randomBytes(8));
      expect(await blobs.get(ref)).toBeUndefined();
      expect(await blobs.head(ref)).toBeUndefined();
    });

    it.each([0, 1, 100, 65_536, 1_000_001])('keeps %d bytes as they are', async (sizeBytes) => {
      const bytes = randomBytes(sizeBytes);
      expect(await blobs.put(refOf(bytes), bytes)).toBe('stored');
      await expectBlob(refOf(bytes), bytes);
    });

    it('takes 16 MiB and refuses one byte more', async () => {
      const bytes = new Uint8Array(16 * 1024 * 1024 + 1).fill(7);
      const most = bytes.subarray(1);
      expect(await blobs.put(refOf(most), most)).toBe('stored');
      await expectBlob(refOf(most), most);
      await expectDefect(() => blobs.put(refOf(bytes), bytes));
      expect(await blobs.head(refOf(bytes))).toBeUndefined();
    });

    it('says that a blob is present, and leaves it', async () => {
      const bytes = randomBytes(100);
      expect(await blobs.put(refOf(bytes), bytes)).toBe('stored');
      expect(await blobs.put(refOf(bytes), bytes)).toBe('present');
      expect(await blobs.put(refOf(bytes), Buffer.from(bytes))).toBe('present');
      await expectBlob(refOf(bytes), bytes);
    });

    it('answers stored to exactly one of 20 puts of one blob', async () => {
      const bytes = randomBytes(50_000);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => blobs.put(refOf(bytes), bytes)),
      );
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
      await expectBlob(refOf(bytes), bytes);
    });

    it('shows a blob whole or not at all while it is put', async () => {
      const bytes = randomBytes(2_000_000);
      const putting = blobs.put(refOf(bytes), bytes);
      const seen = await Promise.all(
        Array.from({ length: 10 }, async () => [
          (await blobs.head(refOf(bytes)))?.sizeBytes,
          (await blobs.get(refOf(bytes)))?.byteLength,
        ]),
      );
      for (const size of seen.flat()) expect([undefined, 2_000_000]).toContain(size);
      expect(await putting).toBe('stored');
    });

    it('shares no blob between tenants', async () => {
      const bytes = randomBytes(100);
      const [mine, theirs] = [refOf(bytes), { ...refOf(bytes), tenant: `${tenant}x` }];
      expect(await blobs.put(mine, bytes)).toBe('stored');
      expect(await blobs.get(theirs)).toBeUndefined();
      expect(await blobs.head(theirs)).toBeUndefined();
      expect(await blobs.put(theirs, bytes)).toBe('stored');
    });

    it('keeps what was put when the caller changes its bytes, or those it got', async () => {
      const bytes = randomBytes(100);
      const ref = refOf(bytes);
      const original = Buffer.from(bytes);
      await blobs.put(ref, bytes);
      bytes.fill(0);
      (await blobs.get(ref))!.fill(0);
      await expectBlob(ref, original);
    });

    it('takes a view of a larger buffer for what it shows', async () => {
      const view = new Uint8Array(randomBytes(100).buffer, 10, 20);
      await blobs.put(refOf(view), view);
      await expectBlob(refOf(view), view);
    });

    it.each(badRefs)('refuses %s', async (_, change) => {
      const ref = { ...refOf(randomBytes(1)), ...change };
      await expectDefect(() => blobs.put(ref, new Uint8Array(1)));
      await expectDefect(() => blobs.get(ref));
      await expectDefect(() => blobs.head(ref));
    });

    it('holds any blobs apart, in whatever order they come', async () => {
      const contents = fc.array(fc.uint8Array({ maxLength: 3 }), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(contents, async (list) => {
          tenant = `t-${randomUUID()}`;
          const expected = new Set<string>();
          for (const bytes of list) {
            const ref = refOf(bytes);
            const isNew = !expected.has(ref.digest);
            expect(await blobs.put(ref, bytes)).toBe(isNew ? 'stored' : 'present');
            expected.add(ref.digest);
          }
          for (const bytes of list) await expectBlob(refOf(bytes), bytes);
        }),
        { numRuns: options.propertyRuns ?? 10 },
      );
    });
  });
}
