import { createHash } from 'node:crypto';

/** SHA-256, as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same of a text in UTF-8. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** A digest as it is written outside of records: with its algorithm. */
export function digestName(hex: string): string {
  return `sha256:${hex}`;
}

/** The digits of such a name. */
export function digestHex(name: string): string {
  return name.replace('sha256:', '');
}
