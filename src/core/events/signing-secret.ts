import { randomBytes } from 'node:crypto';

/** A key for Standard Webhooks: `whsec_`, and 32 random bytes in base64. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
