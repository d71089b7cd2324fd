import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateBounded } from '../../../src/core/packages/inflate-bounded.ts';

const chunkBytes = 16 * 1024;
const zeros = (sizeBytes: number) => deflateRawSync(Buffer.alloc(sizeBytes));

describe('inflateBounded', () => {
  it.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 1_000_000])(
    'inflates %i bytes, and says what it read',
    async (sizeBytes) => {
      const packed = zeros(sizeBytes);
      const bytes = Buffer.alloc(sizeBytes);
      const inflation = await inflateBounded(packed, sizeBytes);
      expect(inflation).toEqual({ outcome: 'done', bytes, consumedBytes: packed.length });
    },
  );

  it.each([0, 1, 1000, chunkBytes, 100_000])(
    'stops a bomb of 100 MB within one chunk after %i bytes',
    async (maxBytes) => {
      const inflation = await inflateBounded(zeros(100_000_000), maxBytes);
      expect(inflation.outcome).toBe('too-long');
      if (inflation.outcome !== 'too-long') return;
      expect(inflation.producedBytes).toBeGreaterThan(maxBytes);
      expect(inflation.producedBytes).toBeLessThanOrEqual(maxBytes + chunkBytes);
    },
  );

  it('does not count bytes behind the stream as read', async () => {
    const packed = zeros(10);
    const inflation = await inflateBounded(Buffer.concat([packed, Buffer.alloc(100)]), 10);
    expect(inflation).toMatchObject({ outcome: 'done', consumedBytes: packed.length });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a stream', zeros(1_000_000).subarray(0, 100)],
    ['no stream', Buffer.from('ffffffff', 'hex')],
    ['a zlib stream', Buffer.from('789c0300', 'hex')],
  ])('finds %s broken', async (_name, packed) => {
    expect(await inflateBounded(packed, 10_000_000)).toEqual({ outcome: 'broken' });
  });
});
