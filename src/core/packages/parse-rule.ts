import parseVersion from 'semver/functions/parse.js';
import { type ErrorDetail, Unprocessable } from '../errors/app-error.ts';
import { isPolicyId } from '../policies/policy-id.ts';
import type { Json } from '../values/json.ts';
import { parseRfc3339 } from '../values/rfc3339.ts';
import { decodeUtf8 } from './decode-utf8.ts';
import { packageLimits } from './package-limits.ts';
import { yamlToJsonText } from './yaml-to-json.ts';

/** A rule as its author wrote it, and the fields that the service acts on. */
export interface Rule {
  readonly id: string;
  /** SemVer 2.0. */
  readonly version: string;
  /** UTC, as `Date#toISOString` writes it; null when the rule names no time. */
  readonly effectiveAt: string | null;
  readonly tags: readonly string[];
  /** The whole document as minimised JSON, keys in the order of the YAML. */
  readonly body: string;
}

type Fields = { readonly [key: string]: Json };

/** 9999-12-31T23:59:59.999Z: after it, ISO 8601 needs a sign before the year. */
const latestMs = 253_402_300_799_999;

/**
 * The rule in a YAML document in UTF-8. Errors: `Unprocessable` (`invalid_policy`): either all
 * findings about the YAML, or, when that is sound, all about its fields.
 */
export function parseRule(yaml: Uint8Array): Rule {
  const body = yamlToJsonText(textOf(yaml));
  const fields: Json = JSON.parse(body);
  if (!isMapping(fields)) throw refusal([finding('', 'must be a mapping with id and version')]);
  const findings: ErrorDetail[] = [];
  const rule: Rule = {
    id: idOf(fields, findings),
    version: versionOf(fields, findings),
    effectiveAt: effectiveAtOf(fields, findings),
    tags: tagsOf(fields, findings),
    body,
  };
  if (findings.length > 0) throw refusal(findings);
  return rule;
}

function textOf(yaml: Uint8Array): string {
  const { maxYamlBytes } = packageLimits;
  if (yaml.byteLength > maxYamlBytes) {
    throw refusal([finding('', `is larger than ${maxYamlBytes / 1024} KiB; split the rule up`)]);
  }
  const text = decodeUtf8(yaml);
  if (text === undefined) throw refusal([finding('', 'is not UTF-8; save it as UTF-8')]);
  return text;
}

function isMapping(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idOf({ id }: Fields, findings: ErrorDetail[]): string {
  if (typeof id === 'string' && isPolicyId(id)) return id;
  findings.push(
    finding('/id', problemOf(id, '1 to 128 letters, digits, dots, dashes or underscores')),
  );
  return '';
}

function versionOf({ version }: Fields, findings: ErrorDetail[]): string {
  if (typeof version === 'string' && isSemVer(version)) return version;
  findings.push(finding('/version', problemOf(version, 'SemVer 2.0, such as 2.0.0')));
  return '';
}

/** `semver` also takes `v1.2.3` and ` 1.2.3`; the standard does not. */
function isSemVer(text: string): boolean {
  const parsed = parseVersion(text);
  if (parsed === null) return false;
  const build = parsed.build.length > 0 ? `+${parsed.build.join('.')}` : '';
  return `${parsed.version}${build}` === text;
}

function effectiveAtOf({ effective }: Fields, findings: ErrorDetail[]): string | null {
  if (effective === undefined) return null;
  const timeMs = typeof effective === 'string' ? parseRfc3339(effective) : undefined;
  if (timeMs !== undefined && timeMs >= 0 && timeMs <= latestMs) {
    return new Date(timeMs).toISOString();
  }
  const wanted =
    'a date and time with a zone (RFC 3339) from 1970 to 9999, such as 2024-09-01T00:00:00Z';
  findings.push(finding('/effective', `must be ${wanted}; or leave it out`));
  return null;
}

function tagsOf({ tags }: Fields, findings: ErrorDetail[]): string[] {
  if (tags === undefined) return [];
  const { maxTags, maxTagChars } = packageLimits;
  if (!Array.isArray(tags) || tags.length > maxTags) {
    findings.push(finding('/tags', `must be a list of at most ${maxTags} texts; or leave it out`));
    return [];
  }
  const texts: string[] = [];
  for (const [index, tag] of tags.entries()) {
    if (typeof tag !== 'string') {
      findings.push(finding(`/tags/${index}`, 'must be a text; quote it'));
    } else if (tag.length > maxTagChars) {
      findings.push(finding(`/tags/${index}`, `has more than ${maxTagChars} characters`));
    } else {
      texts.push(tag);
    }
  }
  return texts;
}

/** YAML reads `2.0` and `007` as numbers, to the surprise of who meant a text. */
function problemOf(value: Json | undefined, wanted: string): string {
  if (value === undefined) return `is missing: ${wanted}`;
  if (typeof value === 'string') return `must be ${wanted}`;
  return `must be a text: ${wanted}${typeof value === 'object' ? '' : '; quote it'}`;
}

function finding(pointer: string, detail: string): ErrorDetail {
  return { pointer, detail };
}

function refusal(findings: readonly ErrorDetail[]): Unprocessable {
  const listed = findings.map(({ pointer, detail }) => `${pointer || 'the document'} ${detail}`);
  const { maxFindings } = packageLimits;
  return new Unprocessable(
    'invalid_policy',
    `The rule is refused: ${listed.slice(0, 3).join(', ')}.`,
    findings.slice(0, maxFindings),
  );
}
