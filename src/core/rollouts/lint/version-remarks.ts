import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';
import type SemVer from 'semver/classes/semver.js';
import type { Json } from '../../values/json.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Remark } from './remark.ts';
import { type RuleChange, ruleChanges } from './rule-changes.ts';

type Fields = { readonly [key: string]: Json };

const atVersion = { parent: undefined, key: 'version' };

/**
 * Whether the version of a rule fits what it changes in the rule in force. Breaking is a field
 * that is gone or has another JSON type: it takes a higher major, while the major is 0 a higher
 * minor. A new field takes a higher minor. What follows a pre-release of such a version may
 * change as much as that version may. Of a rule that goes back, only that is said.
 */
export function versionRemarks(rule: Fields, before: Fields, beforeVersion: string): Remark[] {
  const { version } = rule;
  const is = typeof version === 'string' ? parse(version) : null;
  const was = parse(beforeVersion);
  if (is === null || was === null) return [];
  const order = compare(is, was);
  if (order < 0) {
    return [
      orderRemark(`${is.raw} is lower than ${was.raw}, which is in force; roll back instead`),
    ];
  }
  const { version: _is, ...fields } = rule;
  const { version: _was, ...fieldsBefore } = before;
  const remarks: Remark[] = [];
  if (order === 0 && canonicalJson(fields) !== canonicalJson(fieldsBefore)) {
    remarks.push(orderRemark(`${was.raw} is in force with other content; raise the version`));
  }
  for (const change of ruleChanges(fieldsBefore, fields)) {
    const remark = change.change === 'added' ? addition(change, was, is) : breach(change, was, is);
    if (remark !== undefined) remarks.push(remark);
  }
  return remarks;
}

function orderRemark(detail: string): Remark {
  return { severity: 'error', rule: 'version-order', at: atVersion, detail };
}

function breach({ at, change, was: type, is: typeNow }: RuleChange, was: SemVer, is: SemVer) {
  if (is.major > was.major || startsMajor(was)) return undefined;
  const unstable = was.major === 0;
  if (unstable && (is.minor > was.minor || startsMinor(was))) return undefined;
  const next = unstable ? `0.${was.minor + 1}.0` : `${was.major + 1}.0.0`;
  const what =
    change === 'removed'
      ? `is in ${was.raw} and gone here; keep it`
      : `is ${type} in ${was.raw} and ${typeNow} here; keep the type`;
  const detail = `${what}, or make it version ${next} or higher`;
  return { severity: 'error', rule: 'version-major', at, detail } as const;
}

function addition({ at }: RuleChange, was: SemVer, is: SemVer) {
  if (is.major > was.major || is.minor > was.minor || startsMinor(was)) return undefined;
  const detail = `is new since ${was.raw}; make it version ${was.major}.${was.minor + 1}.0 or higher`;
  return { severity: 'warning', rule: 'version-minor', at, detail } as const;
}

function startsMajor(version: SemVer): boolean {
  return version.minor === 0 && startsMinor(version) && version.major > 0;
}

function startsMinor({ patch, prerelease }: SemVer): boolean {
  return patch === 0 && prerelease.length > 0;
}
