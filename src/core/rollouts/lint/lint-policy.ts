import { Unprocessable } from '../../errors/app-error.ts';
import { governanceKind } from '../../governance/governance-rule.ts';
import { composeYaml } from '../../packages/compose-yaml.ts';
import { decodeUtf8 } from '../../packages/decode-utf8.ts';
import { pointerTo, YamlFindings } from '../../packages/yaml-findings.ts';
import { YamlJsonWriter } from '../../packages/yaml-json-writer.ts';
import type { Json } from '../../values/json.ts';
import { governanceRemarks } from './governance-remarks.ts';
import type { LintFinding, LintSummary } from './lint-finding.ts';
import { lintLimits } from './lint-limits.ts';
import { limited, oneLine, type Remark } from './remark.ts';
import { checkSchema } from './schema/check-schema.ts';
import { versionRemarks } from './version-remarks.ts';
import { YamlPositions } from './yaml-positions.ts';

export interface LintInput {
  /** Its id. */
  readonly policy: string;
  /** `policy.yaml` of a package that was checked when it was stored. */
  readonly yaml: Uint8Array;
  /** `schema.json` of the package. */
  readonly schema: Json | undefined;
  /** The field `schema` of the rule in force of the policy `kindPolicyOf(rule)`. */
  readonly kindSchema: Json | undefined;
  /** The rule in force; null when there is none. */
  readonly before: Json | null;
  readonly beforeVersion: string | null;
}

type Fields = { readonly [key: string]: Json };

const kindName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Checks a candidate by its schemas and by the rule that it replaces; its mandatory fields were
 * checked when it was stored. Time and memory are bounded, whatever the schemas are.
 * Errors: `Unprocessable` (`invalid_policy`) for YAML that could not have been stored.
 */
export function lintPolicy(input: LintInput): readonly LintFinding[] {
  const { rule, positions } = readYaml(input.yaml);
  const remarks = [
    ...limited(schemaRemarks(input, rule)),
    ...limited(kindRemarks(input, rule)),
    ...limited(governanceRemarks(input.policy, rule)),
    ...limited(changeRemarks(input, rule)),
  ];
  return remarks.map(({ severity, rule: name, at, detail }) => {
    const place = at === 'elsewhere' ? nowhere : { pointer: pointerTo(at), ...positions.at(at) };
    const { pointer, line, column } = place;
    return {
      policy: input.policy,
      severity,
      rule: name,
      pointer,
      line,
      column,
      detail: oneLine(detail),
    };
  });
}

const nowhere = { pointer: '', line: null, column: null };

/** Errors first, else in their order; the counts are of all. */
export function summarize(findings: readonly LintFinding[]): LintSummary {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  return {
    errors: errors.length,
    warnings: warnings.length,
    findings: [...errors, ...warnings].slice(0, lintLimits.maxKept),
  };
}

/** The policy whose field `schema` holds for the rule; null when it names no kind. */
export function kindPolicyOf(rule: Json): string | null {
  const kind = isFields(rule) ? rule['kind'] : undefined;
  return typeof kind === 'string' && kindName.test(kind) ? `kind.${kind}` : null;
}

function readYaml(yaml: Uint8Array): { rule: Json; positions: YamlPositions } {
  const text = decodeUtf8(yaml);
  if (text === undefined) {
    throw new Unprocessable('invalid_policy', 'policy.yaml is not UTF-8; save it as UTF-8.');
  }
  const findings = new YamlFindings(text);
  const root = composeYaml(text, findings);
  const json = new YamlJsonWriter(findings).write(root);
  findings.throwIfAny();
  return { rule: JSON.parse(json) as Json, positions: new YamlPositions(text, root) };
}

function schemaRemarks({ schema }: LintInput, rule: Json): Remark[] {
  if (schema === undefined) return [];
  const checked = checkSchema(schema, rule);
  if ('refused' in checked) {
    const detail = `schema.json cannot be used: ${checked.refused}`;
    return [{ severity: 'error', rule: 'schema', at: 'elsewhere', detail }];
  }
  return checked.breaches.map(({ at, message, keyword }) => {
    return { severity: 'error', rule: 'schema', at, detail: `${message} (schema.json${keyword})` };
  });
}

function kindRemarks({ kindSchema }: LintInput, rule: Json): Remark[] {
  const kind = isFields(rule) ? rule['kind'] : undefined;
  if (typeof kind !== 'string') return [];
  const policy = kindPolicyOf(rule);
  const atKind = { parent: undefined, key: 'kind' };
  if (policy === null) {
    const detail =
      'a kind is 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit; rename it, or drop kind';
    return [{ severity: 'error', rule: 'kind', at: atKind, detail }];
  }
  if (kindSchema === undefined) {
    // Of this kind we know ourselves what it holds; a schema may ask for more.
    if (kind === governanceKind) return [];
    const detail = `no schema of this kind is in force in this channel; publish the policy ${policy} with a field schema, or drop kind`;
    return [{ severity: 'error', rule: 'kind', at: atKind, detail }];
  }
  const checked = checkSchema(kindSchema, rule);
  if ('refused' in checked) {
    const detail = `the field schema of ${policy} cannot be used: ${checked.refused}`;
    return [{ severity: 'error', rule: 'kind', at: atKind, detail }];
  }
  return checked.breaches.map(({ at, message, keyword }) => {
    return { severity: 'error', rule: 'kind', at, detail: `${message} (${policy}${keyword})` };
  });
}

function changeRemarks({ before, beforeVersion }: LintInput, rule: Json): Remark[] {
  if (before === null || beforeVersion === null || !isFields(rule) || !isFields(before)) return [];
  return versionRemarks(rule, before, beforeVersion);
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
