import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { signedUploadGate } from '../../../src/adapters/local/signed-upload-gate.ts';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import { createUploadApp } from '../../../src/http/upload-route.ts';
import type { UploadWish } from '../../../src/ports/upload-gate.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { faultyBlobs } from '../../support/faulty-blobs.ts';
import { exchange } from '../../support/raw-http.ts';
import { sha256 } from './claim-api.ts';

const MiB = 1024 * 1024;
const key = randomBytes(32);
const headers = { 'content-type': 'application/pdf' };

let deps: CoreDeps;
beforeEach(() => {
  deps = coreDeps();
});
const wishFor = (bytes: Uint8Array, tenant = 'demo'): UploadWish => ({
  tenant,
  digest: sha256(bytes),
  sizeBytes: bytes.byteLength,
  contentType: 'application/pdf',
});
const gateAt = (url: string) => signedUploadGate({ url, key, clock: deps.clock });
const pathFor = async (bytes: Uint8Array, tenant?: string): Promise<string> =>
  (await gateAt('').open(wishFor(bytes, tenant), 60_000)).url;
const app = (change: Partial<CoreDeps> = {}) =>
  createUploadApp({ ...deps, ...change, wishOf: gateAt('').wishOf });

describe('an upload', () => {
  it.each<readonly [string, { readonly path?: string } & RequestInit, number, string]>([
    ['no token of ours', { path: '/uploads/abc' }, 404, 'not_found'],
    ['a token without a signature', { path: '/uploads/e30.' }, 404, 'not_found'],
    ['a token of dots', { path: '/uploads/...' }, 404, 'not_found'],
    ['another method', { method: 'POST' }, 405, 'method_not_allowed'],
    ['another type', { headers: { 'content-type': 'text/html' } }, 415, 'unsupported_media_type'],
    ['no type', { headers: {} }, 415, 'unsupported_media_type'],
    ['a byte too many', { body: Buffer.alloc(11) }, 413, 'too_large'],
    ['a byte too few', { body: Buffer.alloc(9) }, 400, 'invalid_request'],
    ['no body', { body: null }, 400, 'invalid_request'],
    ['other bytes', { body: Buffer.alloc(10) }, 400, 'invalid_request'],
  ])('with %s is a problem, and leaves nothing', async (_, { path, ...init }, status, code) => {
    const bytes = randomBytes(10);
    const response = await app().request(path ?? (await pathFor(bytes)), {
      method: 'PUT',
      headers,
      body: init.method === 'POST' ? null : bytes,
      ...init,
    });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('allow')).toBe(status === 405 ? 'PUT' : null);
    const problem = problemSchema.parse(await response.json());
    expect(problem).toMatchObject({ status, code });
    expect(problem.requestId).toBe(response.headers.get('x-request-id'));
    expect(await deps.blobs.head(wishFor(bytes))).toBeUndefined();
    expect(deps.metrics.told).toEqual([['requestDone', 'putUpload', status, expect.any(Number)]]);
  });

  it('says what it got, when it is something else', async () => {
    const [bytes, other] = [randomBytes(10), randomBytes(10)];
    const init = { method: 'PUT', headers, body: other };
    const response = await app().request(await pathFor(bytes), init);
    expect(await response.json()).toMatchObject({
      errors: [{ pointer: '', detail: `their SHA-256 is ${sha256(other)}` }],
    });
  });

  it('is a problem, too, when the store does not answer, and may be repeated', async () => {
    const bytes = randomBytes(10);
    const blobs = faultyBlobs(deps.blobs, { put: ['not-written'] });
    const failing = app({ blobs });
    const path = await pathFor(bytes);
    const init = { method: 'PUT', headers, body: bytes };
    const first = await failing.request(path, init);
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await failing.request(path, init)).status).toBe(200);
  });

  it('of a body that breaks off leaves nothing, and no place taken', async () => {
    const bytes = randomBytes(10);
    const path = await pathFor(bytes);
    const one = app();
    for (let attempt = 0; attempt < 10; attempt++) {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(bytes.subarray(0, 5)),
        pull: (controller) => controller.error(new Error('reset')),
      });
      const response = await one.request(path, {
        method: 'PUT',
        headers,
        body,
        duplex: 'half',
      });
      expect(response.status).toBe(400);
    }
    expect(await deps.blobs.head(wishFor(bytes))).toBeUndefined();
    expect((await one.request(path, { method: 'PUT', headers, body: bytes })).status).toBe(200);
  });

  it('is told to wait while its tenant has four others under way', async () => {
    const one = app();
    const waiting = Promise.withResolvers<void>();
    const slow = async () => {
      const bytes = randomBytes(10);
      const body = new ReadableStream({
        async pull(controller) {
          await waiting.promise;
          controller.enqueue(bytes);
          controller.close();
        },
      });
      return one.request(await pathFor(bytes), {
        method: 'PUT',
        headers,
        body,
        duplex: 'half',
      });
    };
    const under = Array.from({ length: 4 }, slow);
    await new Promise(setImmediate);
    const bytes = randomBytes(10);
    const init = { method: 'PUT', headers, body: bytes };
    const path = await pathFor(bytes);
    const refused = await one.request(path, init);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await one.request(await pathFor(bytes, 'other'), init)).status).toBe(200);
    waiting.resolve();
    expect((await Promise.all(under)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await one.request(path, init)).status).toBe(200);
  });
});

describe('an upload over HTTP', () => {
  let url: string;
  beforeEach(async () => {
    const server = createServer(getRequestListener(app().fetch, { overrideGlobalObjects: false }));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  it('takes 16 MiB', async () => {
    const bytes = randomBytes(16 * MiB);
    const upload = await gateAt(url).open(wishFor(bytes), 60_000);
    const response = await fetch(upload.url, { ...upload, body: bytes });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(Buffer.compare((await deps.blobs.get(wishFor(bytes)))!, bytes)).toBe(0);
  });

  it('answers before it has read what is too large', async () => {
    const path = await pathFor(randomBytes(10));
    const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\n`;
    const announced = `${head}Content-Length: 1000000000\r\n\r\n`;
    const { answers } = await exchange(url, announced, { expected: 1 });
    expect(answers.map(({ status }) => status)).toEqual([413]);
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\nff\r\n${'a'.repeat(255)}\r\n`;
    const streamed = await exchange(url, chunked, { expected: 1 });
    expect(streamed.answers.map(({ status }) => status)).toEqual([413]);
  });
});
