import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const toleranceS = 5 * 60;

/**
 * Whether a body was signed with the secret (`whsec_…`), at most five minutes ago.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function verifyWebhook(
  secret: string,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
): boolean {
  const id = String(headers['webhook-id'] ?? '');
  const timestamp = String(headers['webhook-timestamp'] ?? '');
  const ageS = Date.now() / 1000 - Number(timestamp);
  if (id === '' || !/^\d+$/.test(timestamp) || Math.abs(ageS) > toleranceS) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  // Several while a secret is being changed.
  const signatures = String(headers['webhook-signature'] ?? '').split(' ');
  return signatures.some((text) => {
    const [version, signature = ''] = text.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === signed.length && timingSafeEqual(given, signed);
  });
}
