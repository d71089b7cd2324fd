import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobRef, BlobStore } from '../../src/ports/blob-store.ts';
import type { OpenUpload, UploadGate, UploadWish } from '../../src/ports/upload-gate.ts';
import { expectDefect } from '../support/expect-defect.ts';

interface UploadGateFixture {
  readonly gate: UploadGate;
  /** Where what is put is found. */
  readonly blobs: BlobStore;
  readonly nowMs: () => number;
  /** As a client would send it, over HTTP or to whatever answers there. */
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
  /** Lets time pass, for the gate and for whoever takes the bytes. */
  readonly elapse: (ms: number) => Promise<void>;
  /** Parameters of the URL that an emulator does not look at. */
  readonly ignored?: readonly string[];
  readonly close?: () => Promise<void> | void;
}

const MiB = 1024 * 1024;
const ttlMs = 60_000;

const badWishes: readonly (readonly [name: string, change: Partial<UploadWish>])[] = [
  ['a tenant with a path', { tenant: 'a/../b' }],
  ['a tenant in upper case', { tenant: 'Demo' }],
  ['a digest in upper case', { digest: 'A'.repeat(64) }],
  ['a short digest', { digest: 'a'.repeat(63) }],
  ['a size below nothing', { sizeBytes: -1 }],
  ['half a byte', { sizeBytes: 0.5 }],
  ['no size', { sizeBytes: Number.NaN }],
  ['more than 16 MiB', { sizeBytes: 16 * MiB + 1 }],
  ['a type with a line break', { contentType: 'application/pdf\r\nx: y' }],
  ['a type with parameters', { contentType: 'application/pdf; a=b' }],
  ['no type', { contentType: '' }],
];

/** What every UploadGate must do, together with whatever takes the bytes. */
export function describeUploadGate(name: string, make: () => Promise<UploadGateFixture>): void {
  describe(`UploadGate: ${name}`, () => {
    let fixture: UploadGateFixture;
    let tenant: string;

    beforeEach(async () => {
      fixture = await make();
      tenant = `t-${randomUUID()}`;
    });
    afterEach(async () => await fixture.close?.());

    const wishOf = (bytes: Uint8Array): UploadWish => ({
      tenant,
      digest: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: bytes.byteLength,
      contentType: 'application/pdf',
    });
    const open = (bytes: Uint8Array, change: Partial<UploadWish> = {}) =>
      fixture.gate.open({ ...wishOf(bytes), ...change }, ttlMs);
    const put = async (upload: OpenUpload, bytes: Uint8Array, change: RequestInit = {}) => {
      const { url, method, headers } = upload;
      const body = new Uint8Array(bytes);
      const response = await fixture.send(url, { method, headers, body, ...change });
      await response.arrayBuffer();
      return response.status;
    };
    const expectBlob = async (ref: BlobRef, bytes: Uint8Array): Promise<void> => {
      const found = await fixture.blobs.get(ref);
      expect(found).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(found!, bytes)).toBe(0);
    };
    /** Refused, and nothing was stored. */
    const expectRefusal = async (status: Promise<number>, ref: BlobRef): Promise<void> => {
      expect([400, 403, 404, 413, 415]).toContain(await status);
      expect(await fixture.blobs.head(ref)).toBeUndefined();
    };

    it.each([1, 100, 1_000_001, 6 * MiB])('lets %d bytes be put', async (sizeBytes) => {
      const bytes = randomBytes(sizeBytes);
      const upload = await open(bytes);
      expect(await fixture.blobs.head(wishOf(bytes))).toBeUndefined();
      expect(await put(upload, bytes)).toBe(200);
      await expectBlob(wishOf(bytes), bytes);
      expect(await fixture.blobs.put(wishOf(bytes), bytes)).toBe('present');
    });

    it('lets 16 MiB be put', async () => {
      const bytes = randomBytes(16 * MiB);
      expect(await put(await open(bytes), bytes)).toBe(200);
      await expectBlob(wishOf(bytes), bytes);
    });

    it('says when it ends', async () => {
      const before = fixture.nowMs();
      const { method, expiresAt } = await open(randomBytes(1));
      const endsAtMs = Date.parse(expiresAt);
      expect(method).toBe('PUT');
      expect(expiresAt).toBe(new Date(endsAtMs).toISOString());
      expect(endsAtMs).toBeGreaterThan(before + ttlMs - 1000);
      expect(endsAtMs).toBeLessThanOrEqual(fixture.nowMs() + ttlMs);
    });

    it('is over when it ends', async () => {
      const bytes = randomBytes(100);
      const upload = await fixture.gate.open(wishOf(bytes), 1999);
      await fixture.elapse(2000);
      await expectRefusal(put(upload, bytes), wishOf(bytes));
    });

    it('takes no other bytes', async () => {
      const bytes = randomBytes(100);
      const others = [
        randomBytes(100),
        randomBytes(101),
        bytes.subarray(1),
        Buffer.concat([bytes, bytes]),
        new Uint8Array(),
      ];
      for (const other of others) {
        await expectRefusal(put(await open(bytes), other), wishOf(bytes));
        await expectRefusal(put(await open(bytes), other), wishOf(other));
      }
    });

    it('takes no bytes of another size than was opened', async () => {
      const bytes = randomBytes(100);
      for (const sizeBytes of [0, 99, 101]) {
        const upload = await open(bytes, { sizeBytes });
        await expectRefusal(put(upload, bytes), wishOf(bytes));
      }
    });

    it('takes them as the type that was opened', async () => {
      const bytes = randomBytes(100);
      const upload = await open(bytes);
      const headers = { ...upload.headers, 'content-type': 'text/html' };
      await expectRefusal(put(upload, bytes, { headers }), wishOf(bytes));
    });

    it('answers 412 for what is there, and leaves it', async () => {
      const bytes = randomBytes(100);
      const upload = await open(bytes);
      expect(await put(upload, bytes)).toBe(200);
      expect(await put(upload, bytes)).toBe(412);
      expect(await put(await open(bytes), bytes)).toBe(412);
      await expectBlob(wishOf(bytes), bytes);
      const stored = randomBytes(100);
      await fixture.blobs.put(wishOf(stored), stored);
      expect(await put(await open(stored), stored)).toBe(412);
      await expectBlob(wishOf(stored), stored);
    });

    it('answers 200 to one of many that put the same', async () => {
      const bytes = randomBytes(50_000);
      const upload = await open(bytes);
      const answers = await Promise.all([1, 2, 3, 4].map(() => put(upload, bytes)));
      expect(answers.filter((status) => status === 200)).toHaveLength(1);
      await expectBlob(wishOf(bytes), bytes);
    });

    it('shares no blob between tenants', async () => {
      const bytes = randomBytes(100);
      expect(await put(await open(bytes), bytes)).toBe(200);
      const other = { ...wishOf(bytes), tenant: `${tenant}x` };
      expect(await fixture.blobs.head(other)).toBeUndefined();
      expect(await put(await open(bytes, other), bytes)).toBe(200);
    });

    it('takes nothing at a URL whose path or values were changed', async () => {
      const bytes = randomBytes(10);
      const upload = await open(bytes);
      const { pathname, searchParams } = new URL(upload.url);
      const changed = (text: string, at: number): string =>
        `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
      const urls: URL[] = [];
      for (let at = 1; at < pathname.length; at += Math.ceil(pathname.length / 20)) {
        urls.push(Object.assign(new URL(upload.url), { pathname: changed(pathname, at) }));
      }
      for (const [parameter, value] of searchParams) {
        if (fixture.ignored?.includes(parameter) === true) continue;
        const url = new URL(upload.url);
        url.searchParams.set(parameter, changed(value, Math.floor(value.length / 2)));
        urls.push(url);
      }
      for (const url of urls) {
        await expectRefusal(put({ ...upload, url: url.href }, bytes), wishOf(bytes));
      }
      expect(await put(upload, bytes)).toBe(200);
    });

    it('lets nothing else be done there', async () => {
      const bytes = randomBytes(10);
      const upload = await open(bytes);
      expect(await put(upload, bytes)).toBe(200);
      for (const method of ['GET', 'HEAD', 'DELETE', 'POST']) {
        const response = await fixture.send(upload.url, { method, headers: upload.headers });
        await response.arrayBuffer();
        expect(response.status, method).toBeGreaterThanOrEqual(400);
        expect(response.status, method).toBeLessThan(500);
      }
      await expectBlob(wishOf(bytes), bytes);
    });

    it.each(badWishes)('refuses %s', async (_, change) => {
      await expectDefect(() => open(randomBytes(1), change));
    });

    it.each([0, 999, 3_600_001, Number.NaN])('refuses to be open for %d ms', async (badTtlMs) => {
      await expectDefect(() => fixture.gate.open(wishOf(randomBytes(1)), badTtlMs));
    });
  });
}
