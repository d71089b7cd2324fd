import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { once } from 'node:events';

import { ContainerClient, RestError } from '@azure/storage-blob';
import { afterEach, expect, it } from 'vitest';

import { azureBlobs } from '../../../src/adapters/azure/azure-blobs.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { BlobStore } from '../../../src/ports/blob-store.ts';

const ref = { tenant: 'demo', digest: 'a'.repeat(64) };
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A store whose Azure answers every request with `listener`. */
async function blobsAt(listener: RequestListener): Promise<BlobStore> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closers.push(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const url = `http://127.0.0.1:${port}/hms/blobs`;
  return azureBlobs(new ContainerClient(url, undefined, { retryOptions: { maxTries: 1 } }));
}

async function failures(blobs: BlobStore): Promise<unknown[]> {
  const calls = [blobs.put(ref, Buffer.from('x')), blobs.get(ref), blobs.head(ref)];
  return (await Promise.allSettled(calls)).map((call) =>
    call.status === 'rejected' ? call.reason : call.value,
  );
}

it.each([429, 500, 503])('throws Unavailable for status %d', async (status) => {
  const blobs = await blobsAt((_, response) => response.writeHead(status).end());
  for (const error of await failures(blobs)) expect(error).toBeInstanceOf(Unavailable);
});

it('throws Unavailable for a broken connection', async () => {
  const blobs = await blobsAt((request) => request.socket.destroy());
  for (const error of await failures(blobs)) expect(error).toBeInstanceOf(Unavailable);
});

it('throws a refusal as it came', async () => {
  const blobs = await blobsAt((_, response) =>
    response.writeHead(403, { 'x-ms-error-code': 'AuthorizationFailure' }).end(),
  );
  for (const error of await failures(blobs)) expect(error).toBeInstanceOf(RestError);
});

it('does not read an object that is too big', async () => {
  const blobs = await blobsAt((_, response) => {
    response.writeHead(200, { 'content-length': String(2 ** 24 + 1), etag: '"1"' });
    response.write('x');
  });
  await expect(blobs.get(ref)).rejects.toThrow('not a blob');
});

it('throws Unavailable when a body breaks off', async () => {
  const blobs = await blobsAt((_, response) => {
    response.writeHead(200, { 'content-length': '10', etag: '"1"' });
    response.write('x', () => setTimeout(() => response.destroy(), 20));
  });
  await expect(blobs.get(ref)).rejects.toThrow(Unavailable);
});

it('puts only where nothing is, with one request', async () => {
  const seen: unknown[] = [];
  const blobs = await blobsAt((request, response) => {
    seen.push([request.method, request.url?.split('?')[0], request.headers['if-none-match']]);
    response.writeHead(409, { 'x-ms-error-code': 'BlobAlreadyExists' }).end();
  });
  expect(await blobs.put(ref, Buffer.from('x'))).toBe('present');
  expect(seen).toEqual([['PUT', `/hms/blobs/demo/aa/${ref.digest}`, '*']]);
});
