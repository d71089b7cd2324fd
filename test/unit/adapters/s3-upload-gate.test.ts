import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { s3UploadGate } from '../../../src/adapters/aws/s3-upload-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const wish = {
  tenant: 'demo',
  digest: 'ab'.repeat(32),
  sizeBytes: 6_291_456,
  contentType: 'application/pdf',
};
const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session' };

function gateWith(given: NonNullable<ConstructorParameters<typeof S3Client>[0]>) {
  const client = new S3Client({ region: 'us-east-1', ...given });
  const clock = new ManualClock(Date.UTC(2026, 0, 1, 12, 0, 0, 900));
  return s3UploadGate({ client, bucket: 'blobs', clock });
}

describe('s3UploadGate', () => {
  it('signs all that S3 is to hold the caller to, and calls nobody', async () => {
    const gate = gateWith({
      credentials,
      requestHandler: { handle: () => Promise.reject(new Error('called')) },
    });
    const { url, ...upload } = await gate.open(wish, 900_000);
    const checksum = Buffer.from(wish.digest, 'hex').toString('base64');
    expect(upload).toEqual({
      method: 'PUT',
      headers: {
        'content-type': 'application/pdf',
        'if-none-match': '*',
        'x-amz-checksum-sha256': checksum,
      },
      // Of the second in which it was signed: S3 counts from there.
      expiresAt: '2026-01-01T12:15:00.000Z',
    });
    const { protocol, host, pathname, searchParams } = new URL(url);
    expect({ protocol, host, pathname }).toEqual({
      protocol: 'https:',
      host: 'blobs.s3.us-east-1.amazonaws.com',
      pathname: `/demo/ab/${wish.digest}`,
    });
    expect(Object.fromEntries(searchParams)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-Credential': 'id/20260101/us-east-1/s3/aws4_request',
      'X-Amz-Date': '20260101T120000Z',
      'X-Amz-Expires': '900',
      'X-Amz-Security-Token': 'session',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      'X-Amz-SignedHeaders': 'content-length;content-type;host;if-none-match;x-amz-checksum-sha256',
      'x-id': 'PutObject',
    });
  });

  it('signs another size, type or digest differently', async () => {
    const gate = gateWith({ credentials });
    const changes = [
      {},
      { sizeBytes: 6_291_457 },
      { contentType: 'text/plain' },
      { digest: 'cd'.repeat(32) },
      { tenant: 'other' },
    ];
    const signatures = await Promise.all(
      changes.map(async (change) => {
        const { url } = await gate.open({ ...wish, ...change }, 60_000);
        return new URL(url).searchParams.get('X-Amz-Signature');
      }),
    );
    expect(new Set(signatures).size).toBe(changes.length);
  });

  it('is unavailable while its credentials cannot be had', async () => {
    const error = Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' });
    const gate = gateWith({ credentials: () => Promise.reject(error) });
    await expect(gate.open(wish, 60_000)).rejects.toMatchObject({
      code: 'unavailable',
      cause: error,
    });
  });
});
