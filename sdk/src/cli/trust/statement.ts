import { createHash } from 'node:crypto';
import type { PolicyFiles } from '../../node/read-policy-files.ts';

/** Where the envelope is, in a package. */
export const signatureFile = 'signature.dsse.json';

const statementTypeUri = 'https://in-toto.io/Statement/v1';
const predicateType = 'urn:hms:policy-package:v1';

/** What a signer says of a package: an in-toto statement v1 about all its files but the signatures. */
export interface PackageStatement {
  readonly _type: string;
  readonly subject: readonly {
    readonly name: string;
    readonly digest: { readonly sha256: string };
  }[];
  readonly predicateType: string;
  readonly predicate: { readonly policy: { readonly id: string; readonly version: string } };
}

/** The same files give the same bytes: so several sign one payload. */
export function statementBytes(
  files: PolicyFiles,
  policy: PackageStatement['predicate']['policy'],
): Buffer {
  const statement: PackageStatement = {
    _type: statementTypeUri,
    subject: subjectsOf(files),
    predicateType,
    predicate: { policy: { id: policy.id, version: policy.version } },
  };
  return Buffer.from(JSON.stringify(statement), 'utf8');
}

function subjectsOf(files: PolicyFiles): PackageStatement['subject'] {
  const content = Object.entries(files).filter(([name]) => name !== signatureFile);
  return content
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => ({ name, digest: { sha256: sha256Hex(bytes) } }));
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
