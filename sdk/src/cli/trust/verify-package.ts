import { zipFiles } from '../../node/zip-files.ts';
import { type DsseEnvelope, parseEnvelope, preAuthEncoding, statementType } from './dsse.ts';
import type { RingKey } from './key-ring.ts';
import { isSignedBy } from './keys.ts';
import type { OpenPackage } from './package-files.ts';
import { sha256Hex, signatureFile, statementBytes } from './statement.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: 'bytes' | 'signed content' | 'signature' | 'quorum';
  /** `unknown`: by a key that is not known here, which counts neither way. */
  readonly result: 'passed' | 'failed' | 'unknown';
  readonly detail: string;
}

export interface Trusted {
  /** `sha256:` and 64 hex digits of the package, from somebody who knows; undefined if nobody does. */
  readonly digest: string | undefined;
  /** Whose signatures count. */
  readonly keys: readonly RingKey[];
  /** So many of them must have signed. */
  readonly quorum: number;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256Hex(bytes)}`;
}

/**
 * Every check, in order. With a digest, the package is byte for byte the one that is meant; without
 * one, it is byte for byte what the packer makes of its files, so that nothing can hide between them.
 */
export function verifyPackage(given: OpenPackage, trusted: Trusted): readonly Check[] {
  const envelope = parseEnvelope(Buffer.from(given.files[signatureFile] ?? []).toString('utf8'));
  const content = contentCheck(given, envelope);
  const checks = [bytesCheck(given, trusted.digest), content];
  if (envelope === undefined || content.result !== 'passed') return checks;
  const signatures = signatureChecks(envelope, trusted.keys);
  const count = signatures.filter(({ result }) => result === 'passed').length;
  const quorum: Check = {
    name: 'quorum',
    result: resultOf(count >= trusted.quorum),
    detail: `${count} of the ${trusted.quorum} that must have signed it`,
  };
  return [...checks, ...signatures, quorum];
}

function resultOf(passed: boolean): Check['result'] {
  return passed ? 'passed' : 'failed';
}

function bytesCheck({ bytes, files }: OpenPackage, expected: string | undefined): Check {
  const digest = digestOf(bytes);
  if (expected !== undefined) {
    const passed = digest === expected;
    const detail = passed ? digest : `${digest}, but it should be ${expected}`;
    return { name: 'bytes', result: resultOf(passed), detail };
  }
  const passed = Buffer.compare(zipFiles(files), bytes) === 0;
  const detail = passed
    ? digest
    : 'not as the packer writes them: damaged, or of another packer; then give its --digest';
  return { name: 'bytes', result: resultOf(passed), detail };
}

/** The entry set equals the subjects, and each has its digest. */
function contentCheck(given: OpenPackage, envelope: DsseEnvelope | undefined): Check {
  const name = 'signed content';
  if (given.files[signatureFile] === undefined) {
    return { name, result: 'failed', detail: `it has no ${signatureFile}: nobody signed it` };
  }
  if (envelope?.payloadType !== statementType) {
    return { name, result: 'failed', detail: `${signatureFile} is damaged, or none of ours` };
  }
  const signed = Buffer.from(envelope.payload, 'base64');
  const passed = signed.equals(statementBytes(given.files, given));
  const count = Object.keys(given.files).length - 1;
  const detail = passed
    ? `${given.id}@${given.version}, ${count} file${count === 1 ? '' : 's'}`
    : `these are not the files that were signed: ${differenceOf(given, signed)}`;
  return { name, result: resultOf(passed), detail };
}

/** Only to tell people; what does not parse tells nothing. */
function differenceOf(given: OpenPackage, signed: Buffer): string {
  try {
    const subjects = (payload: Buffer) => {
      const { subject } = JSON.parse(payload.toString('utf8')) as {
        subject: { name: string; digest: { sha256: string } }[];
      };
      return new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
    };
    const [theirs, ours] = [subjects(signed), subjects(statementBytes(given.files, given))];
    const names = new Set([...theirs.keys(), ...ours.keys()]);
    return [...names].filter((name) => theirs.get(name) !== ours.get(name)).join(', ') || 'names';
  } catch {
    return 'the statement is damaged';
  }
}

/** One for each signature: bad ones are told, whoever else has signed. */
function signatureChecks(envelope: DsseEnvelope, keys: readonly RingKey[]): Check[] {
  const signed = preAuthEncoding(envelope.payloadType, Buffer.from(envelope.payload, 'base64'));
  const seen = new Set<string>();
  return envelope.signatures.map(({ keyid, sig }) => {
    const known = keys.find(({ id }) => id === keyid);
    const short = keyid.slice(0, 23);
    if (known === undefined) {
      const detail = `${short}… is no key that is known here`;
      return { name: 'signature', result: 'unknown', detail };
    }
    const isNew = !seen.has(keyid);
    seen.add(keyid);
    const passed = isNew && isSignedBy(signed, Buffer.from(sig, 'base64'), known.key);
    const detail = passed ? `${known.name} (${short}…)` : `not by ${known.name} (${short}…)`;
    return { name: 'signature', result: resultOf(passed), detail };
  });
}
