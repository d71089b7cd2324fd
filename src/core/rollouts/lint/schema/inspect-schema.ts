import type { Json } from '../../../values/json.ts';
import { lintLimits } from '../lint-limits.ts';
import type { LinearPatterns } from './linear-patterns.ts';
import { schemaFormats } from './schema-formats.ts';
import { annotations, applicators, assertions } from './schema-keywords.ts';

const { maxSchemaChars, maxSchemaNodes, maxSubschemas, maxPointerChars } = lintLimits;

/** Added to each subschema: `[base, each]`, what it costs to meet a value. */
export const costKeyword = 'hms:cost';

export const draft = 'https://json-schema.org/draft/2020-12/schema';

type Fields = { readonly [key: string]: Json };

export interface InspectedSchema {
  /** The same schema without annotations, with costs. */
  readonly schema: Fields;
  /** Where each subschema of it is, as a pointer. */
  readonly pointers: ReadonlyMap<Json, string>;
  /** It has `unevaluatedProperties` or `unevaluatedItems`. */
  readonly tracks: boolean;
}

/**
 * Refuses what a schema may not hold, and notes what each part of it costs. Each `$ref` leads to
 * a subschema that is counted here; all patterns are added to `patterns`.
 * Errors: `Error`, whose message says where and what is wrong.
 */
export function inspectSchema(schema: Json, patterns: LinearPatterns): InspectedSchema {
  if (!isFields(schema)) throw new Error('it must be a JSON object');
  if (JSON.stringify(schema).length > maxSchemaChars) {
    throw new Error(`it has more than ${maxSchemaChars / 1024} KiB; make it smaller`);
  }
  return new SchemaInspector(patterns).inspect(schema);
}

class SchemaInspector {
  readonly #patterns: LinearPatterns;
  /** All that a `$ref` may lead to. */
  readonly #targets = new Set<string>();
  readonly #pointers = new Map<Json, string>();
  readonly #refs: { readonly pointer: string; readonly target: string }[] = [];
  readonly #costs: { base: number; each: number; readonly names: boolean; readonly copy: Copy }[] =
    [];
  #nodes = 0;
  #names = 0;
  #tracks = false;
  #pointerChars = 0;

  constructor(patterns: LinearPatterns) {
    this.#patterns = patterns;
  }

  inspect(schema: Fields): InspectedSchema {
    const inspected = this.#fields(schema, '');
    for (const { pointer, target } of this.#refs) {
      if (this.#targets.has(target)) continue;
      throw refusal(pointer, `$ref leads to no schema in this document; correct it`);
    }
    // With unevaluated…, ajv keeps a list of the names that each subschema has seen.
    const tracked = this.#tracks ? this.#names : 0;
    for (const { base, each, names, copy } of this.#costs) {
      copy[costKeyword] = [base + tracked, each + (names ? tracked : 0)];
    }
    return { schema: inspected, pointers: this.#pointers, tracks: this.#tracks };
  }

  #subschema(schema: Json, pointer: string): Json {
    if (isFields(schema)) return this.#fields(schema, pointer);
    this.#enter(pointer);
    if (typeof schema === 'boolean') return schema;
    throw refusal(pointer, 'a schema must be an object or a boolean');
  }

  #fields(schema: Fields, pointer: string): Fields {
    this.#enter(pointer);
    const before = this.#nodes;
    const copy: Copy = {};
    this.#pointers.set(copy, pointer);
    let children = 0;
    for (const [keyword, value] of Object.entries(schema)) {
      this.#count(1, pointer);
      this.#pointerChars += pointer.length + keyword.length;
      if (this.#pointerChars > maxPointerChars) {
        throw refusal(pointer, 'the schema is too large, or its names are too long');
      }
      const nodes = this.#nodes;
      const kept = this.#keyword(keyword, value, pointer);
      if (applicators.has(keyword)) children += this.#nodes - nodes;
      if (kept !== undefined) copy[keyword] = kept;
    }
    const names = 'unevaluatedProperties' in copy || 'unevaluatedItems' in copy;
    this.#tracks ||= names;
    const own = this.#nodes - before - children + widthOf(copy);
    const each = 'additionalProperties' in copy ? 10 : 1;
    this.#costs.push({ base: 5 + 2 * own, each, names, copy });
    return copy;
  }

  #keyword(keyword: string, value: Json, pointer: string): Json | undefined {
    const at = `${pointer}/${escaped(keyword)}`;
    const kind = applicators.get(keyword);
    if (kind === 'one') return this.#subschema(value, at);
    if (kind === 'list') return this.#list(value, at);
    if (kind === 'named') return this.#named(value, at, keyword);
    if (!assertions.has(keyword) && !annotations.has(keyword)) {
      throw refusal(pointer, `the keyword ${quoted(keyword)} is not supported; leave it out`);
    }
    this.#count(nodesOf(value), pointer);
    if (keyword === '$schema' && value !== draft) {
      throw refusal(pointer, `$schema must be ${draft}; or leave it out`);
    }
    if (keyword === '$id' && pointer !== '') {
      throw refusal(pointer, '$id is supported at the top only; leave it out');
    }
    if (keyword === '$ref') this.#refs.push({ pointer, target: targetOf(value, pointer) });
    if (keyword === 'format' && (typeof value !== 'string' || !schemaFormats.has(value))) {
      const known = [...schemaFormats.keys()].join(', ');
      throw refusal(pointer, `format must be one of ${known}; or leave it out`);
    }
    if (keyword === 'pattern') this.#pattern(value, pointer);
    return assertions.has(keyword) ? value : undefined;
  }

  #pattern(pattern: Json, pointer: string): void {
    if (typeof pattern !== 'string') throw refusal(pointer, 'a pattern must be a text');
    try {
      this.#patterns.add(pattern);
    } catch (error) {
      throw refusal(pointer, error instanceof Error ? error.message : String(error));
    }
  }

  #list(value: Json, at: string): Json {
    if (!isList(value)) throw refusal(at, 'it must be a list of schemas');
    return value.map((schema, index) => this.#subschema(schema, `${at}/${index}`));
  }

  #named(value: Json, at: string, keyword: string): Json {
    if (!isFields(value)) throw refusal(at, 'it must be an object of schemas');
    const entries = Object.entries(value).map(([name, schema]): [string, Json] => {
      // ajv leaves it out, and no rule can have it.
      if (name === '__proto__') throw refusal(at, 'the name "__proto__" is not allowed');
      this.#count(1, at);
      if (keyword === 'properties') this.#names += 1;
      if (keyword === 'patternProperties') this.#pattern(name, at);
      return [name, this.#subschema(schema, `${at}/${escaped(name)}`)];
    });
    return Object.fromEntries(entries);
  }

  #enter(pointer: string): void {
    this.#count(1, pointer);
    this.#targets.add(pointer);
    if (this.#targets.size > maxSubschemas) {
      throw refusal(pointer, `there are more than ${maxSubschemas} subschemas; make it smaller`);
    }
  }

  #count(nodes: number, pointer: string): void {
    this.#nodes += nodes;
    if (this.#nodes > maxSchemaNodes) {
      throw refusal(pointer, `there are more than ${maxSchemaNodes} keys and values`);
    }
  }
}

type Copy = { [key: string]: Json };

/** The subschemas that are met from here, at once or by a loop. */
function widthOf(copy: Fields): number {
  let width = 0;
  for (const [keyword, value] of Object.entries(copy)) {
    if (applicators.has(keyword)) width += isList(value) || isFields(value) ? sizeOf(value) : 1;
  }
  return width;
}

function sizeOf(value: Fields | readonly Json[]): number {
  return isList(value) ? value.length : Object.keys(value).length;
}

/** The pointer that a `$ref` names, in the spelling of `#targets`. */
function targetOf(ref: Json, pointer: string): string {
  if (typeof ref !== 'string' || !/^#(?:$|\/)/.test(ref)) {
    throw refusal(pointer, '$ref must begin with #/ and lead to a schema in this document');
  }
  try {
    const tokens = ref.slice(1).split('/');
    return tokens.map((token) => decodeURIComponent(token).replaceAll('/', '~1')).join('/');
  } catch {
    throw refusal(pointer, '$ref is not percent-encoded as a URI is; correct it');
  }
}

function nodesOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (isList(value)) return value.reduce<number>((sum, inner) => sum + nodesOf(inner), 1);
  return Object.values(value).reduce<number>((sum, inner) => sum + 1 + nodesOf(inner), 1);
}

function refusal(pointer: string, what: string): Error {
  return new Error(`at ${pointer === '' ? 'the top' : pointer}, ${what}`);
}

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
