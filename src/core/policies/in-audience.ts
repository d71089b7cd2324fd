import { createHash } from 'node:crypto';
import type { CanaryAudience, Reader } from './canary.ts';

const buckets = 10_000;

/**
 * The bucket of a subject, 0 to 9999: the first 8 bytes of SHA-256(salt ‖ 0x1f ‖ subject), as a
 * big-endian number, modulo 10 000. `docs/bucketing.md` has vectors for other languages.
 */
export function bucketOf(salt: string, subject: string): number {
  const digest = createHash('sha256').update(`${salt}\u001f${subject}`).digest();
  return Number(digest.readBigUInt64BE(0) % BigInt(buckets));
}

/** Whether a reader is among those who try the candidate. More weight only adds subjects. */
export function inAudience(audience: CanaryAudience, reader: Reader): boolean {
  if (audience.region !== null && audience.region !== reader.region) return false;
  return audience.weight >= buckets || bucketOf(audience.salt, reader.subject) < audience.weight;
}
