import type { Json } from '../values/json.ts';

/** One difference, at an RFC 6901 pointer. */
export interface JsonChange {
  readonly op: 'add' | 'remove' | 'replace';
  readonly pointer: string;
  readonly before?: Json;
  readonly after?: Json;
}

/**
 * What turns one JSON value into another. Objects are compared by key, lists by position;
 * changes come in the order of the first value, additions last.
 */
export function diffJson(before: Json, after: Json, pointer = ''): JsonChange[] {
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    return diffEntries(Object.entries(before), Object.entries(after), pointer);
  }
  if (isObject(before) && isObject(after)) {
    return diffEntries(Object.entries(before), Object.entries(after), pointer);
  }
  return [{ op: 'replace', pointer, before, after }];
}

function diffEntries(
  before: readonly [string, Json][],
  after: readonly [string, Json][],
  pointer: string,
): JsonChange[] {
  const left = new Map(before);
  const right = new Map(after);
  const changes: JsonChange[] = [];
  for (const [key, was] of left) {
    const at = `${pointer}/${escapeToken(key)}`;
    const is = right.get(key);
    if (is === undefined) changes.push({ op: 'remove', pointer: at, before: was });
    else changes.push(...diffJson(was, is, at));
  }
  for (const [key, is] of right) {
    if (!left.has(key)) {
      changes.push({ op: 'add', pointer: `${pointer}/${escapeToken(key)}`, after: is });
    }
  }
  return changes;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
