import { decodeUtf8 } from './decode-utf8.ts';
import { allowedEntries, entryKind } from './entry-kind.ts';

/** A name as it may be shown: shortened, and without bytes that a terminal might act on. */
export function printableName(raw: Uint8Array): string {
  const text = Buffer.from(raw.subarray(0, 100))
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '?');
  return raw.length > 100 ? `${text}…` : text;
}

/** What is wrong with the name of an entry, and what to do; undefined for one a package may hold. */
export function nameProblem(raw: Uint8Array): string | undefined {
  if (raw.length === 0) return 'has no name; pack it again';
  const name = decodeUtf8(raw);
  if (name === undefined) return 'has a name that is not UTF-8; rename it';
  if (/\p{Cc}/u.test(name)) return 'has a control character in its name; rename it';
  if (name.includes('\\')) return 'has a backslash in its name; pack it with forward slashes';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) {
    return 'has an absolute path; pack it relative to the folder of policy.yaml';
  }
  const steps = name.replace(/\/$/, '').split('/');
  if (steps.some((step) => step === '' || step === '.' || step === '..')) {
    return 'has a path that leaves or repeats its folder; pack it without ".", ".." or "//"';
  }
  if (entryKind(name) === undefined) {
    return `is not part of a package; leave it out (a package holds ${allowedEntries})`;
  }
  return undefined;
}

/** Equal for names that some file system takes for one. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
