import { AppError, TooLarge } from '../errors/app-error.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import { sha256Hex } from './digest.ts';
import { type EntryKind, entryKind, maxEntryBytes } from './entry-kind.ts';
import { packageLimits } from './package-limits.ts';
import { parseRule, type Rule } from './parse-rule.ts';
import { refusePackage } from './refuse-package.ts';
import { parseStrictJson } from '../values/strict-json.ts';
import { yamlToJsonText } from './yaml-to-json.ts';
import { readZipDirectory } from './zip-directory.ts';
import { unpack, type ZipMember } from './zip-member.ts';

/** A content file of a package. */
export interface PackageEntry {
  readonly path: string;
  /** Unpacked. */
  readonly sizeBytes: number;
  /** Of the unpacked bytes, 64 hex digits. */
  readonly sha256: string;
}

export interface PolicyPackage {
  readonly rule: Rule;
  /** All files, sorted by path; folders are none. */
  readonly entries: readonly PackageEntry[];
}

interface KnownMember {
  readonly member: ZipMember;
  readonly kind: EntryKind;
}

/**
 * Checks a package and reads its rule. Refused is every ZIP that two readers could take for two
 * things, every entry that no package holds, and every file that does not parse; signatures are
 * not verified here. Time and memory are bounded by `packageLimits`, whatever the headers say;
 * one entry is in memory at a time.
 * Errors: `TooLarge` above 5 MiB; else `Unprocessable`: `invalid_policy` for the rule itself,
 * `invalid_package` for all else.
 */
export async function readPackage(bytes: Uint8Array): Promise<PolicyPackage> {
  const { maxPackedBytes } = packageLimits;
  if (bytes.byteLength > maxPackedBytes) {
    throw new TooLarge(`A package has at most ${maxPackedBytes / 1024 / 1024} MiB.`);
  }
  const members = knownMembers(await readZipDirectory(bytes));
  const entries: PackageEntry[] = [];
  let rule: Rule | undefined;
  for (const { member, kind } of members) {
    const content = await unpack(member);
    if (kind === 'policy') rule = parseRule(content);
    else requireSound(member.path, kind, content);
    if (kind === 'folder') continue;
    entries.push({ path: member.path, sizeBytes: content.byteLength, sha256: sha256Hex(content) });
  }
  if (rule === undefined) throw missingPolicy();
  return { rule, entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** Refuses by declared sizes before anything is inflated; `unpack` makes sure that they are true. */
function knownMembers(members: readonly ZipMember[]): KnownMember[] {
  const totalBytes = members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  requireSize(totalBytes, packageLimits.maxUnpackedBytes, '', 'The package');
  const known: KnownMember[] = [];
  let yamlBytes = 0;
  for (const member of members) {
    const { path, sizeBytes } = member;
    const kind = entryKind(path);
    if (kind === undefined) {
      throw refusePackage({ pointer: path, detail: 'is not part of a package; leave it out' });
    }
    if (kind === 'policy' || kind === 'scenario') yamlBytes += sizeBytes;
    requireSize(sizeBytes, maxEntryBytes(kind), path, 'The entry');
    requireSize(yamlBytes, packageLimits.maxYamlTotalBytes, path, 'All YAML of the package');
    known.push({ member, kind });
  }
  if (!known.some(({ kind }) => kind === 'policy')) throw missingPolicy();
  return known;
}

function requireSize(sizeBytes: number, maxBytes: number, pointer: string, what: string): void {
  if (sizeBytes <= maxBytes) return;
  const detail = `${what} has more than ${maxBytes / 1024} KiB unpacked; make it smaller`;
  throw refusePackage({ pointer, detail });
}

function requireSound(path: string, kind: EntryKind, content: Uint8Array): void {
  if (kind === 'folder') return;
  const text = decodeUtf8(content);
  if (text === undefined) {
    throw refusePackage({ pointer: path, detail: 'is not UTF-8; save it as UTF-8' });
  }
  if (kind === 'json') requireJsonObject(path, text);
  else requireYaml(path, text);
}

function requireJsonObject(path: string, text: string): void {
  const parsed = parseStrictJson(text, packageLimits.maxJsonDepth);
  if ('problem' in parsed) throw refusePackage({ pointer: path, detail: parsed.problem });
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw refusePackage({ pointer: path, detail: 'must be a JSON object' });
}

function requireYaml(path: string, text: string): void {
  try {
    yamlToJsonText(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const findings = error.details.map(({ pointer, detail }) => ({
      pointer: `${path}#${pointer}`,
      detail,
    }));
    throw refusePackage(...findings);
  }
}

function missingPolicy(): AppError {
  const detail = 'policy.yaml is missing; it must be at the top of the ZIP, not in a folder.';
  return refusePackage({ pointer: 'policy.yaml', detail });
}
