import type { YamlPath } from '../../packages/yaml-findings.ts';
import { lintLimits } from './lint-limits.ts';

/** A finding before it is placed in the text. */
export interface Remark {
  readonly severity: 'error' | 'warning';
  readonly rule: string;
  /** Into the rule; `elsewhere` when it is about another file. */
  readonly at: YamlPath | undefined | 'elsewhere';
  readonly detail: string;
}

const { maxPerCheck, maxDetailChars } = lintLimits;

/** The first ones, and that there are more. */
export function limited(remarks: readonly Remark[]): readonly Remark[] {
  const last = remarks[maxPerCheck - 1];
  if (last === undefined || remarks.length === maxPerCheck) return remarks;
  return [
    ...remarks.slice(0, maxPerCheck - 1),
    { ...last, at: undefined, detail: 'more findings are not listed; correct these first' },
  ];
}

/** A detail may quote its input, which may be long or have lines. */
export function oneLine(text: string): string {
  const cut =
    text.length > maxDetailChars ? `${text.slice(0, maxDetailChars).toWellFormed()}…` : text;
  return cut.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ');
}
