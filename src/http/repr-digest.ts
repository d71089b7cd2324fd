/**
 * The value of `Repr-Digest` (RFC 9530) for what has this SHA-256, as hex digits: with it, a court
 * checks the bytes with no more than a hash function.
 */
export function reprDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}
