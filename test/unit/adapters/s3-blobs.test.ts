import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';

import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { s3Blobs } from '../../../src/adapters/aws/s3-blobs.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';

const bytes = Buffer.from('rule');
const hash = createHash('sha256').update(bytes);
const digest = hash.copy().digest('hex');
const ref = { tenant: 'demo', digest };
const Key = `demo/${digest.slice(0, 2)}/${digest}`;

/** A mock of the client's `send`, a store on it, and how long the store slept. */
function setUp() {
  const client = new S3Client({ region: 'us-east-1' });
  const mock = mockClient(client);
  const sleptMs: number[] = [];
  const clock = { nowMs: () => 0, sleep: async (ms: number) => void sleptMs.push(ms) };
  return { mock, clock, sleptMs, blobs: s3Blobs({ client, bucket: 'b', clock }) };
}

function answer(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode } });
}

const meta = { message: 'no', $metadata: {} };

describe('put', () => {
  it('is one PutObject, which S3 does only for these bytes and only once', async () => {
    const { mock, blobs } = setUp();
    mock.on(PutObjectCommand).resolves({});
    expect(await blobs.put(ref, bytes)).toBe('stored');
    expect(mock.calls()).toHaveLength(1);
    expect(mock.call(0).args[0].input).toMatchObject({
      Bucket: 'b',
      Key,
      Body: bytes,
      IfNoneMatch: '*',
      ChecksumSHA256: hash.copy().digest('base64'),
    });
  });

  it("answers 'present' to 412, after one call", async () => {
    const { mock, blobs } = setUp();
    mock.on(PutObjectCommand).rejects(answer('PreconditionFailed', 412));
    expect(await blobs.put(ref, bytes)).toBe('present');
    expect(mock.calls()).toHaveLength(1);
  });

  it('tries again, later, when another put of it is under way', async () => {
    const { mock, sleptMs, blobs } = setUp();
    mock
      .on(PutObjectCommand)
      .rejectsOnce(answer('ConditionalRequestConflict', 409))
      .rejectsOnce(answer('ConditionalRequestConflict', 409))
      .rejects(answer('PreconditionFailed', 412));
    expect(await blobs.put(ref, bytes)).toBe('present');
    expect(mock.calls()).toHaveLength(3);
    expect(sleptMs[0]).toBe(0);
    expect(sleptMs[1]).toBeGreaterThan(0);
  });

  it('gives up when that goes on', async () => {
    const { mock, blobs } = setUp();
    mock.on(PutObjectCommand).rejects(answer('ConditionalRequestConflict', 409));
    await expect(blobs.put(ref, bytes)).rejects.toThrow(Unavailable);
    expect(mock.calls()).toHaveLength(6);
  });

  it('throws what S3 says of bytes that do not fit the digest as it came', async () => {
    const { mock, blobs } = setUp();
    const error = answer('BadDigest', 400);
    mock.on(PutObjectCommand).rejects(error);
    await expect(blobs.put(ref, bytes)).rejects.toBe(error);
  });
});

describe('get', () => {
  it('is one GetObject', async () => {
    const { mock, blobs } = setUp();
    const Body = Object.assign(Readable.from([bytes]), {
      transformToByteArray: async () => new Uint8Array(bytes),
    });
    mock.on(GetObjectCommand).resolves({ Body: Body as never, ContentLength: bytes.length });
    expect(await blobs.get(ref)).toEqual(new Uint8Array(bytes));
    expect(mock.calls()).toHaveLength(1);
    expect(mock.call(0).args[0].input).toEqual({ Bucket: 'b', Key });
  });

  it('does not read an object that is too big, and gives its connection back', async () => {
    const { mock, blobs } = setUp();
    const Body = Readable.from([bytes]);
    mock.on(GetObjectCommand).resolves({ Body: Body as never, ContentLength: 2 ** 24 + 1 });
    await expect(blobs.get(ref)).rejects.toThrow('not a blob');
    expect(Body.destroyed).toBe(true);
  });

  it('tells a missing object from a missing bucket', async () => {
    const { mock, blobs } = setUp();
    mock.on(GetObjectCommand).rejectsOnce(new NoSuchKey(meta)).rejects(new NoSuchBucket(meta));
    expect(await blobs.get(ref)).toBeUndefined();
    await expect(blobs.get(ref)).rejects.toThrow(NoSuchBucket);
  });
});

it('throws Unavailable when a body breaks off', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('x', () => setTimeout(() => response.destroy(), 20));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  const { clock } = setUp();
  await expect(s3Blobs({ client, bucket: 'b', clock }).get(ref)).rejects.toThrow(Unavailable);
  client.destroy();
  server.close();
});

describe('head', () => {
  it('is one HeadObject', async () => {
    const { mock, blobs } = setUp();
    mock.on(HeadObjectCommand).resolvesOnce({ ContentLength: 4 }).rejects(new NotFound(meta));
    expect(await blobs.head(ref)).toEqual({ sizeBytes: 4 });
    expect(mock.calls()).toHaveLength(1);
    expect(await blobs.head(ref)).toBeUndefined();
  });
});

it.each([
  ['SlowDown', 503],
  ['InternalError', 500],
  ['RequestTimeout', 400],
])('throws Unavailable for %s', async (name, status) => {
  const { mock, blobs } = setUp();
  mock.rejects(answer(name, status));
  await expect(blobs.put(ref, bytes)).rejects.toThrow(Unavailable);
  await expect(blobs.get(ref)).rejects.toThrow(Unavailable);
  await expect(blobs.head(ref)).rejects.toThrow(Unavailable);
});

it('throws a refusal as it came', async () => {
  const { mock, blobs } = setUp();
  const error = answer('AccessDenied', 403);
  mock.rejects(error);
  await expect(blobs.put(ref, bytes)).rejects.toBe(error);
  await expect(blobs.get(ref)).rejects.toBe(error);
  await expect(blobs.head(ref)).rejects.toBe(error);
});
