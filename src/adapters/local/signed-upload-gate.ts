import { createHmac, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../../ports/clock.ts';
import type { UploadGate, UploadWish } from '../../ports/upload-gate.ts';
import { checkUpload } from '../runtime/upload-limits.ts';

export interface SignedUploadGateOptions {
  /** Of the server that takes the uploads, without a slash at the end. */
  readonly url: string;
  readonly key: Uint8Array;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface SignedUploadGate extends UploadGate {
  /** What a token of ours lets its holder put; undefined for any other, and once it has expired. */
  readonly wishOf: (token: string) => UploadWish | undefined;
}

const maxTokenChars = 1024;

/**
 * An `UploadGate` on our own server: `<url>/uploads/<token>`. The token is what was opened, and an
 * HMAC-SHA256 of it; nothing is stored. Whoever has the key can make tokens.
 */
export function signedUploadGate({ url, key, clock }: SignedUploadGateOptions): SignedUploadGate {
  return {
    async open(wish, ttlMs) {
      const expiresAtMs = clock.nowMs() + checkUpload(wish, ttlMs) * 1000;
      const { tenant, digest, sizeBytes, contentType } = wish;
      const opened = JSON.stringify({ tenant, digest, sizeBytes, contentType, expiresAtMs });
      const payload = Buffer.from(opened).toString('base64url');
      return {
        method: 'PUT',
        url: `${url}/uploads/${payload}.${macOf(key, payload).toString('base64url')}`,
        headers: { 'content-type': contentType },
        expiresAt: new Date(expiresAtMs).toISOString(),
      };
    },

    wishOf(token) {
      if (token.length > maxTokenChars) return undefined;
      const end = token.indexOf('.');
      const payload = token.slice(0, end);
      const given = Buffer.from(token.slice(end + 1), 'base64url');
      const mac = macOf(key, payload);
      if (given.byteLength !== mac.byteLength || !timingSafeEqual(given, mac)) return undefined;
      // We wrote it: nobody else can sign.
      const { expiresAtMs, ...wish } = JSON.parse(
        Buffer.from(payload, 'base64url').toString(),
      ) as UploadWish & { readonly expiresAtMs: number };
      return clock.nowMs() < expiresAtMs ? wish : undefined;
    },
  };
}

function macOf(key: Uint8Array, payload: string): Buffer {
  return createHmac('sha256', key).update(payload).digest();
}
