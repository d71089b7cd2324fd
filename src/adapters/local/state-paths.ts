import type { Json } from '../../core/values/json.ts';
import { StateError } from './state-error.ts';

export type JsonObject = { readonly [key: string]: Json };

/** `$`, or names from there on, `$.step.status`; with `$$`, into the context object. */
export type Path = string;

const pathPattern = /^\$\$?(?:\.[A-Za-z]\w*)*$/;

export function isPath(text: string): boolean {
  return pathPattern.test(text);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at the path. Errors: `States.Runtime` when nothing does. */
export function valueAt(path: Path, input: Json, context: JsonObject): Json {
  const [root, ...names] = path.split('.');
  let value = root === '$$' ? context : input;
  for (const name of names) {
    const inner = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    if (inner === undefined) throw new StateError('States.Runtime', `There is nothing at ${path}.`);
    value = inner;
  }
  return value;
}

/** The template with each `"name.$": path` replaced by a `name` that has what stands there. */
export function fill(template: JsonObject, input: Json, context: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => {
      if (typeof value === 'string' && name.endsWith('.$')) {
        return [name.slice(0, -2), valueAt(value, input, context)];
      }
      return [name, isObject(value) ? fill(value, input, context) : value];
    }),
  );
}
