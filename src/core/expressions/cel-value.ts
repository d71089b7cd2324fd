import { celList, type CelList, celMap, type CelMap, type CelValue } from '@bufbuild/cel';
import { isCelList, isCelMap } from '@bufbuild/cel';
import type { Json } from '../values/json.ts';

const weights = new WeakMap<object, number>();

/**
 * JSON as CEL sees it. Every number is a double, whatever its value: so a type never depends on a
 * value, and `25` and `30.5` compare alike. Objects are maps, also those with unusual names.
 */
export function celValueOf(json: Json): CelValue {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return celList(json.map(celValueOf));
  const entries = Object.entries(json).map(([key, value]) => [key, celValueOf(value)] as const);
  return celMap(new Map(entries));
}

function isList(json: object): json is readonly Json[] {
  return Array.isArray(json);
}

/** The steps that it takes to walk through a value: 1 for a scalar and for each 32 characters. */
export function weightOf(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return 1 + value.length / 32;
  if (isCelList(value)) return known(value, () => sum(value));
  if (isCelMap(value)) return known(value, () => sum(value.keys()) + sum(value.values()));
  // Times and durations are messages.
  return typeof value === 'object' && value !== null ? 10 : 1;
}

/** Kept, since the same rule is weighed again and again. */
function known(value: CelList | CelMap, weigh: () => number): number {
  const found = weights.get(value);
  if (found !== undefined) return found;
  const weight = 1 + weigh();
  weights.set(value, weight);
  return weight;
}

function sum(values: Iterable<CelValue>): number {
  let total = 0;
  for (const value of values) total += weightOf(value);
  return total;
}
