import { createHmac, timingSafeEqual } from 'node:crypto';

const toleranceS = 5 * 60;

/** The bytes of a secret that HMS gave us: `whsec_…`. */
export function secretBytes(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/** Whether a time, in Unix seconds, is at most five minutes away. */
export function isRecent(timestamp: string): boolean {
  return /^\d+$/.test(timestamp) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= toleranceS;
}

/** Whether one of the signatures, `v1,… v1,…`, is of these parts. Several while a secret is changed. */
export function isSigned(
  signatures: string,
  key: Uint8Array,
  ...parts: readonly (string | Uint8Array)[]
): boolean {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  const wanted = hmac.digest();
  return signatures.split(' ').some((text) => {
    const [version, signature = ''] = text.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}
