import type { YamlPath } from '../../packages/yaml-findings.ts';
import type { Json } from '../../values/json.ts';

/** How the shape of a rule changed at one place. */
export interface RuleChange {
  readonly at: YamlPath;
  readonly change: 'removed' | 'added' | 'retyped';
  /** The JSON types; undefined where there is no value. */
  readonly was: string | undefined;
  readonly is: string | undefined;
}

type Fields = { readonly [key: string]: Json };

/**
 * The fields that came, went or took another JSON type, in the order of `before`, then of
 * `after`. Objects are compared by key, at any depth; a list is one value.
 */
export function ruleChanges(before: Json, after: Json): RuleChange[] {
  const changes: RuleChange[] = [];
  if (isFields(before) && isFields(after)) compare(before, after, undefined, changes);
  return changes;
}

function compare(
  before: Fields,
  after: Fields,
  parent: YamlPath | undefined,
  changes: RuleChange[],
): void {
  for (const [key, was] of Object.entries(before)) {
    const at: YamlPath = { parent, key };
    const is = Object.hasOwn(after, key) ? after[key] : undefined;
    const types = { was: jsonType(was), is: jsonType(is) };
    if (is === undefined) changes.push({ at, change: 'removed', ...types });
    else if (types.was !== types.is) changes.push({ at, change: 'retyped', ...types });
    else if (isFields(was) && isFields(is)) compare(was, is, at, changes);
  }
  for (const [key, is] of Object.entries(after)) {
    if (Object.hasOwn(before, key)) continue;
    changes.push({ at: { parent, key }, change: 'added', was: undefined, is: jsonType(is) });
  }
}

function jsonType(value: Json | undefined): string | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return value === undefined ? undefined : typeof value;
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
