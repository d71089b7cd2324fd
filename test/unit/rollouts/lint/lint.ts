import type { LintFinding } from '../../../../src/core/rollouts/lint/lint-finding.ts';
import { type LintInput, lintPolicy } from '../../../../src/core/rollouts/lint/lint-policy.ts';

/** Lints a text of YAML; without more, against nothing. */
export function lint(
  yaml: string,
  rest: Partial<Omit<LintInput, 'yaml'>> = {},
): readonly LintFinding[] {
  return lintPolicy({
    policy: 'epa-pm25-limit',
    yaml: new TextEncoder().encode(yaml),
    schema: undefined,
    kindSchema: undefined,
    before: null,
    beforeVersion: null,
    ...rest,
  });
}

/** `rule pointer line:column`, which is what most tests are about. */
export function places(findings: readonly LintFinding[]): string[] {
  return findings.map(
    ({ rule, pointer, line, column }) => `${rule} ${pointer} ${line ?? '-'}:${column ?? '-'}`,
  );
}
