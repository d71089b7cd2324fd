import { sha256Hex, textDigest } from '../packages/digest.ts';
import { packPolicy } from '../packages/pack-policy.ts';
import { parseRule, type Rule } from '../packages/parse-rule.ts';
import { type PackageEntry, readPackage } from '../packages/read-package.ts';
import { Unprocessable } from '../errors/app-error.ts';
import { requireSoundGovernance } from '../governance/require-sound-governance.ts';

/** What a caller handed in: a package, or a bare YAML document. */
export interface Upload {
  readonly form: 'zip' | 'yaml';
  readonly bytes: Uint8Array;
}

/** A package that passed every check, and its address. */
export interface AcceptedPackage {
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, 64 hex digits. */
  readonly digest: string;
  readonly rule: Rule;
  /** SHA-256 of `rule.body` in UTF-8, 64 hex digits. */
  readonly bodyDigest: string;
  readonly entries: readonly PackageEntry[];
}

/**
 * Checks an upload for the policy it is said to be. A bare document is packed, always to the same
 * bytes. Errors: `Unprocessable` with every finding, `TooLarge`.
 */
export async function acceptPackage(id: string, upload: Upload): Promise<AcceptedPackage> {
  const accepted = upload.form === 'zip' ? await open(upload.bytes) : pack(upload.bytes);
  if (accepted.rule.id !== id) {
    throw new Unprocessable('invalid_policy', 'The rule belongs to another policy.', [
      { pointer: '/id', detail: `is "${accepted.rule.id}", but the call is about "${id}"` },
    ]);
  }
  await requireSoundGovernance(accepted.rule);
  return accepted;
}

async function open(bytes: Uint8Array): Promise<AcceptedPackage> {
  // The address comes first: no parser has a say in it.
  const digest = sha256Hex(bytes);
  const { rule, entries } = await readPackage(bytes);
  return { bytes, digest, rule, bodyDigest: textDigest(rule.body), entries };
}

function pack(yaml: Uint8Array): AcceptedPackage {
  const rule = parseRule(yaml);
  const bytes = packPolicy(yaml);
  const entry = { path: 'policy.yaml', sizeBytes: yaml.byteLength, sha256: sha256Hex(yaml) };
  const digest = sha256Hex(bytes);
  return { bytes, digest, rule, bodyDigest: textDigest(rule.body), entries: [entry] };
}
