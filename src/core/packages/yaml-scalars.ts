import { isMap, isScalar, isSeq, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';

const integer = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;

/** Set on a plain object, these reach its prototype: a trap for whoever copies the rule. */
const unsafeKeys = new Set(['__proto__', 'constructor', 'prototype']);

const tagPrefix = 'tag:yaml.org,2002:';

/** A scalar as JSON text, and what is wrong with it. */
export function scalarJson({ value, source }: Scalar): { json: string; problem?: string } {
  switch (typeof value) {
    case 'string':
      return { json: JSON.stringify(value), ...withProblem(stringProblem(value)) };
    case 'number':
      return { json: JSON.stringify(value), ...withProblem(numberProblem(value, source ?? '')) };
    case 'boolean':
      return { json: String(value) };
    default:
      return value === null
        ? { json: 'null' }
        : { json: 'null', problem: 'the value has no JSON form; write it as a text' };
  }
}

/** A key as the name of a JSON member, and what is wrong with it. */
export function keyText(key: Scalar): { name: string; problem?: string } {
  const { value, source } = key;
  if (typeof value === 'string') return { name: value, ...withProblem(nameProblem(key, value)) };
  const name = String(value);
  if (value !== null && name === source) return { name, ...withProblem(tagProblem(key)) };
  // `1.10`, `0x10`, `~` or `True` would change on the way to JSON.
  return { name, problem: source === '' ? 'a key is left empty' : `quote the key ${source}` };
}

function nameProblem(key: Scalar, name: string): string | undefined {
  if (unsafeKeys.has(name)) return `the key "${name}" is not allowed; name it otherwise`;
  if (name === '<<' && key.type === 'PLAIN') {
    return 'merge keys (<<) are not part of YAML 1.2; write the fields out';
  }
  return stringProblem(name) ?? tagProblem(key);
}

/** Undefined for no tag, and for a tag of the core schema that fits its value. */
export function tagProblem(node: Scalar | YAMLMap | YAMLSeq): string | undefined {
  const { tag } = node;
  if (tag === undefined || tag === '!') return undefined;
  const kind = tag.startsWith(tagPrefix) ? tag.slice(tagPrefix.length) : '';
  const fits =
    (kind === 'map' && isMap(node)) ||
    (kind === 'seq' && isSeq(node)) ||
    (isScalar(node) && fitsScalar(kind, node.value));
  return fits ? undefined : `the tag ${tag} does not apply here; leave it out`;
}

function fitsScalar(kind: string, value: unknown): boolean {
  switch (kind) {
    case 'str':
      return typeof value === 'string';
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    default:
      return false;
  }
}

function stringProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'the text holds a NUL character; remove it';
  return text.isWellFormed() ? undefined : 'the text holds half a surrogate pair; complete it';
}

function numberProblem(value: number, source: string): string | undefined {
  if (!Number.isFinite(value)) return `JSON has no number ${source}; quote it or leave it out`;
  if (integer.test(source) && !Number.isSafeInteger(value)) {
    return `the integer ${source} is beyond ±(2^53 - 1) and would lose digits; quote it`;
  }
  return undefined;
}

function withProblem(problem: string | undefined): { problem?: string } {
  return problem === undefined ? {} : { problem };
}
