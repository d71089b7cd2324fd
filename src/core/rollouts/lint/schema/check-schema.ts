import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { pointerTo, type YamlPath } from '../../../packages/yaml-findings.ts';
import type { Json } from '../../../values/json.ts';
import { lintLimits } from '../lint-limits.ts';
import { draft, type InspectedSchema, inspectSchema } from './inspect-schema.ts';
import { LinearPatterns } from './linear-patterns.ts';
import { meterKeywords } from './metered-keywords.ts';
import { TooMuchWork, WorkMeter } from './work-meter.ts';

/** Where a rule breaks a schema. */
export interface SchemaBreach {
  /** Of a field that is missing: where it should be. */
  readonly at: YamlPath | undefined;
  readonly message: string;
  /** Which keyword says so, as a fragment: `#/properties/limit/minimum`. */
  readonly keyword: string;
}

const { maxPerCheck } = lintLimits;
const maxTold = 5 * maxPerCheck;

/** `refused` says why the schema cannot be used. */
export type SchemaCheck =
  | { readonly breaches: readonly SchemaBreach[]; readonly steps: number }
  | { readonly refused: string };

/**
 * Checks a rule by a JSON Schema (draft 2020-12) that anyone may have written. It loads nothing,
 * its patterns run on a linear engine, and its work is counted: beyond `lintLimits` it is refused.
 * Both are as `JSON.parse` gives them; the rule has passed `packageLimits`.
 */
export function checkSchema(schema: Json, rule: Json): SchemaCheck {
  const meter = new WorkMeter(rule);
  try {
    const patterns = new LinearPatterns(meter);
    const inspected = inspectSchema(schema, patterns);
    requireValid(schema);
    const validate = compile(inspected, patterns, meter);
    const valid = run(validate, rule);
    const breaches = valid ? [] : breachesOf(validate.errors ?? [], inspected.pointers);
    return { breaches, steps: meter.steps };
  } catch (error) {
    return { refused: reasonOf(error) };
  }
}

function compile(
  inspected: InspectedSchema,
  patterns: LinearPatterns,
  meter: WorkMeter,
): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    // For `parentSchema`: a `schemaPath` leaves out how a $ref was reached.
    verbose: true,
    // A rule may have a key such as `toString`.
    ownProperties: true,
    multipleOfPrecision: 9,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    // To forbid matches, ajv would run the patterns itself.
    allowMatchingProperties: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    loopRequired: 20,
    logger: false,
    code: { optimize: false, regExp: engineOf(patterns) },
  });
  // Else it writes code that tracks what was evaluated, needed or not.
  ajv.opts.unevaluated = inspected.tracks;
  meterKeywords(ajv, meter);
  return ajv.compile(inspected.schema);
}

function engineOf(patterns: LinearPatterns) {
  const engine = (pattern: string) => ({
    test: (text: string) => patterns.test(pattern, text),
    toString: () => pattern,
  });
  // What it would be called in code that is kept: none is.
  return Object.assign(engine, { code: 'engine' });
}

let metaSchema: ValidateFunction | undefined;

/** By the schema of schemas, compiled once: it takes 50 ms. */
function requireValid(schema: Json): void {
  metaSchema ??= new Ajv2020({ strict: false, validateFormats: false, logger: false }).getSchema(
    draft,
  ) as ValidateFunction;
  if (run(metaSchema, schema)) return;
  const [error] = metaSchema.errors ?? [];
  throw new Error(`at ${error?.instancePath || 'the top'}, it ${error?.message ?? 'is no schema'}`);
}

function run(validate: ValidateFunction, value: Json): boolean {
  return validate(value);
}

function reasonOf(error: unknown): string {
  if (error instanceof TooMuchWork) {
    return `checking a rule by it takes too much work (${error.message}); simplify it, or shorten the rule`;
  }
  if (error instanceof RangeError) {
    return 'it leads from schema to schema without an end, or through too many; simplify its $ref';
  }
  return error instanceof Error ? error.message : String(error);
}

/** What only says that another error is one. */
const echoes = new Set(['if', 'propertyNames']);

/** The params that name a key of the value. */
const keyParams = [
  'missingProperty',
  'additionalProperty',
  'unevaluatedProperty',
  'propertyName',
  'repeated',
];

function breachesOf(
  errors: readonly ErrorObject[],
  pointers: InspectedSchema['pointers'],
): SchemaBreach[] {
  const telling = errors.filter(({ keyword }) => !echoes.has(keyword));
  const breaches: SchemaBreach[] = [];
  const seen = new Set<string>();
  // What is met twice is told twice, and its path may be long.
  for (const error of (telling.length > 0 ? telling : errors).slice(0, maxTold)) {
    if (breaches.length > maxPerCheck) break;
    const breach = breachOf(error, pointers);
    const id = `${pointerTo(breach.at)}\n${breach.keyword}\n${breach.message}`;
    if (!seen.has(id)) breaches.push(breach);
    seen.add(id);
  }
  return breaches;
}

function breachOf(error: ErrorObject, pointers: InspectedSchema['pointers']): SchemaBreach {
  const { instancePath, params, propertyName, message, keyword, parentSchema } = error;
  let at: YamlPath | undefined;
  for (const token of instancePath.split('/').slice(1)) {
    at = { parent: at, key: token.replaceAll('~1', '/').replaceAll('~0', '~') };
  }
  const key: unknown = propertyName ?? keyParams.map((name) => params[name]).find(isText);
  if (isText(key)) at = { parent: at, key };
  // A schema that is `false` has no keyword.
  const pointer = pointers.get(parentSchema as unknown as Json);
  const place = pointer === undefined ? '' : `#${pointer}/${keyword}`;
  return {
    at,
    message: pointer === undefined ? 'is not allowed' : (message ?? ''),
    keyword: place,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
