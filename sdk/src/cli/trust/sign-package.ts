import { zipFiles } from '../../node/zip-files.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import {
  type DsseEnvelope,
  envelopeText,
  parseEnvelope,
  preAuthEncoding,
  statementType,
} from './dsse.ts';
import type { RingKey } from './key-ring.ts';
import { signBytes } from './keys.ts';
import type { OpenPackage } from './package-files.ts';
import { signatureFile, statementBytes } from './statement.ts';

/**
 * The package with the signature of each key, beside those that it has. Who has signed it already has
 * signed it once; with the same keys, the same package has the same bytes for ever.
 * Errors: `Failure` for a key that is not ours, or signatures of other content.
 */
export function signPackage(given: OpenPackage, keys: readonly RingKey[]): Uint8Array {
  const payload = statementBytes(given.files, given);
  const signed = preAuthEncoding(statementType, payload);
  const before = envelopeOf(given, payload.toString('base64'));
  const signatures = new Map(before.signatures.map(({ keyid, sig }) => [keyid, sig]));
  for (const { id, key, name } of keys) {
    if (key.type !== 'private') {
      throw new Failure(
        exitCodes.usage,
        `The key "${name}" is only known here, not ours to sign with.`,
      );
    }
    signatures.set(id, signBytes(signed, key).toString('base64'));
  }
  const all = [...signatures].map(([keyid, sig]) => ({ keyid, sig }));
  const text = envelopeText({ ...before, signatures: all.toSorted(byKeyId) });
  return zipFiles({ ...given.files, [signatureFile]: Buffer.from(text, 'utf8') });
}

function byKeyId(a: { readonly keyid: string }, b: { readonly keyid: string }): number {
  return a.keyid < b.keyid ? -1 : 1;
}

/** The one that the package has, or an empty one. */
function envelopeOf({ files }: OpenPackage, payload: string): DsseEnvelope {
  const bytes = files[signatureFile];
  if (bytes === undefined) return { payloadType: statementType, payload, signatures: [] };
  const envelope = parseEnvelope(Buffer.from(bytes).toString('utf8'));
  if (envelope?.payloadType === statementType && envelope.payload === payload) return envelope;
  throw new Failure(exitCodes.refused, `Its ${signatureFile} is of other content, or damaged.`, [
    `Remove ${signatureFile} from the package, and have all sign it again`,
  ]);
}
