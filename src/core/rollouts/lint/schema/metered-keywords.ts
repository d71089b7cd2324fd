import { _, type Ajv2020, type ErrorObject, type KeywordCxt, Name } from 'ajv/dist/2020.js';
import type { Json } from '../../../values/json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { costKeyword } from './inspect-schema.ts';
import { schemaFormats } from './schema-formats.ts';
import type { WorkMeter } from './work-meter.ts';

/** The count of errors in the functions that ajv writes. */
const errorCount = new Name('errors');

/**
 * Makes each subschema, each format and each comparison of values pay for its work. `enum`,
 * `const` and `uniqueItems` compare canonical texts: ajv's own take the square of the length of a
 * list, and call what a value has as `valueOf`.
 */
export function meterKeywords(ajv: Ajv2020, meter: WorkMeter): void {
  for (const [name, check] of schemaFormats) {
    ajv.addFormat(name, (text: string) => {
      meter.spend(2 * text.length);
      return check(text);
    });
  }
  for (const keyword of ['enum', 'const', 'uniqueItems']) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: costKeyword,
    schemaType: 'array',
    before: '$ref',
    code: costCode(meter),
  });
  ajv.addKeyword({
    keyword: 'enum',
    schemaType: 'array',
    compile: (values: readonly Json[], parent: object) => oneOf(values, meter, 'enum', parent),
  });
  ajv.addKeyword({
    keyword: 'const',
    compile: (value: Json, parent: object) => oneOf([value], meter, 'const', parent),
  });
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (unique: boolean, parent: object) => (unique ? noneTwice(meter, parent) : () => true),
  });
}

function costCode(meter: WorkMeter): (context: KeywordCxt) => void {
  const meet = (value: Json, base: number, each: number, errors: number) =>
    meter.meet(value, base, each, errors);
  return ({ gen, data, schema }) => {
    const [base, each] = schema as readonly [number, number];
    const called = gen.scopeValue('func', { ref: meet });
    gen.code(_`${called}(${data}, ${base}, ${each}, ${errorCount})`);
  };
}

/** As ajv calls it: on failure, `errors` says why. */
interface Check {
  (value: Json): boolean;
  errors?: Partial<ErrorObject>[];
}

function oneOf(values: readonly Json[], meter: WorkMeter, keyword: string, parentSchema: object) {
  const texts = new Set(values.map(canonicalJson));
  const check: Check = (value) => {
    meter.read(value);
    if (texts.has(canonicalJson(value))) return true;
    check.errors = [{ keyword, parentSchema, params: {}, message: `must be ${listed(texts)}` }];
    return false;
  };
  return check;
}

function listed(texts: ReadonlySet<string>): string {
  const some = [...texts].slice(0, 6).map((text) => {
    return text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text;
  });
  const more = texts.size > some.length ? ` or one of ${texts.size - some.length} more` : '';
  return `${some.join(' or ')}${more}`;
}

function noneTwice(meter: WorkMeter, parentSchema: object): Check {
  const check: Check = (value) => {
    meter.read(value);
    const first = new Map<string, number>();
    for (const [index, item] of (value as readonly Json[]).entries()) {
      const text = canonicalJson(item);
      const same = first.get(text);
      if (same !== undefined) {
        const message = `must not repeat item ${same}: items are unique here`;
        const params = { repeated: String(index) };
        check.errors = [{ keyword: 'uniqueItems', parentSchema, params, message }];
        return false;
      }
      first.set(text, index);
    }
    return true;
  };
  return check;
}
