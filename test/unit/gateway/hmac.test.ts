import * as fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { hmacKey, hmacSha256 } from '../../../src/core/gateway/hmac.ts';

it('is the HMAC that everybody has, of any text, by a key of up to 64 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.string({ unit: 'grapheme' }), (key, text) => {
      const wanted = createHmac('sha256', key).update(text).digest('base64');
      expect(hmacSha256(hmacKey(key), text)).toBe(wanted);
    }),
    { numRuns: 300 },
  );
  expect(() => hmacKey(new Uint8Array(65))).toThrow(RangeError);
});
