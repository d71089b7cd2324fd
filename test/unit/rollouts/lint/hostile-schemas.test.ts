import { describe, expect, it } from 'vitest';
import { lintLimits } from '../../../../src/core/rollouts/lint/lint-limits.ts';
import { checkSchema } from '../../../../src/core/rollouts/lint/schema/check-schema.ts';
import type { Json } from '../../../../src/core/values/json.ts';

const { maxSteps, maxSubschemas, maxSchemaNodes, maxPatterns } = lintLimits;
const tooMuch = /^checking a rule by it takes too much work/;

const list = <T>(length: number, make: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => make(index));
const named = <T>(count: number, make: (index: number) => T): Record<string, T> =>
  Object.fromEntries(list(count, (index) => [`p${index}`, make(index)]));
const nested = (depth: number, wrap: (inner: Json) => Json): Json =>
  list(depth, () => 0).reduce<Json>((inner) => wrap(inner), 1);

function refusalOf(schema: Json, rule: Json): string {
  const checked = checkSchema(schema, rule);
  return 'refused' in checked ? checked.refused : `taken, with ${checked.steps} steps`;
}

function stepsOf(schema: Json, rule: Json): number {
  const checked = checkSchema(schema, rule);
  if ('refused' in checked) throw new Error(checked.refused);
  return checked.steps;
}

/** Each level leads to the next one twice: the last is met 2^40 times. */
function doubling(combine: (next: Json) => Json): Json {
  const levels = list(40, (i) => [`d${i}`, combine({ $ref: `#/$defs/d${i + 1}` })] as const);
  return { $defs: { ...Object.fromEntries(levels), d40: {} }, $ref: '#/$defs/d0' };
}

/** Pseudo-random, so that an automaton keeps finding new states. */
function noise(length: number, letters: string): string {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return letters[(state >> 16) % letters.length] ?? '';
  };
  return list(length, next).join('');
}

describe('what takes no end of work is stopped by the count of its steps', () => {
  const deep = nested(30, (a) => ({ a }));
  const twice = { allOf: [{ $ref: '#/$defs/n' }, { $ref: '#/$defs/n' }] };
  const texts = list(200, (i) => noise(4000, 'ab') + i);
  const cases: Record<string, [schema: Json, rule: Json]> = {
    'allOf that doubles': [doubling((next) => ({ allOf: [next, next] })), {}],
    'anyOf that doubles': [doubling((next) => ({ anyOf: [{ not: next }, { not: next }] })), {}],
    'oneOf that doubles': [doubling((next) => ({ oneOf: [next, next] })), {}],
    'if that doubles': [doubling((next) => ({ if: { not: next }, else: next })), {}],
    'dependentSchemas that double': [
      doubling((next) => ({ allOf: [next], dependentSchemas: { a: next } })),
      { a: 1 },
    ],
    'properties that double at each level': [
      { $defs: { n: { properties: { a: twice } } }, $ref: '#/$defs/n' },
      deep,
    ],
    'items that double at each level': [
      { $defs: { n: { items: twice } }, $ref: '#/$defs/n' },
      nested(30, (inner) => [inner]),
    ],
    'unevaluatedProperties that double at each level': [
      {
        $defs: { n: { allOf: list(9, () => true), unevaluatedProperties: twice } },
        $ref: '#/$defs/n',
      },
      deep,
    ],
    'all schemas against all items': [
      { items: { allOf: list(900, () => ({ minimum: 0 })) } },
      list(19_999, (i) => i),
    ],
    'items unique, hundreds of times': [
      { allOf: list(300, () => ({ uniqueItems: true })) },
      list(5000, (a) => ({ a })),
    ],
    'a deep value compared at each level': [
      {
        $defs: { n: { not: { const: 0 }, properties: { a: { $ref: '#/$defs/n' } } } },
        allOf: list(300, () => ({ $ref: '#/$defs/n' })),
      },
      nested(30, (a) => ({ a, b: list(500, (i) => i) })),
    ],
    'a long text measured often': [
      { allOf: list(900, () => ({ minLength: 1 })) },
      'é'.repeat(1_000_000),
    ],
    'a long text of a format, often': [
      { allOf: list(900, () => ({ format: 'uri-reference' })) },
      '/a'.repeat(500_000),
    ],
    'a long name, at each of many references': [
      {
        $defs: { t: true, n: { type: 'number' } },
        allOf: list(400, () => ({ additionalProperties: { $ref: '#/$defs/n' } })),
      },
      { ['~'.repeat(250_000)]: 1, ['/'.repeat(250_000)]: 1 },
    ],
    'many errors, dropped and found again': [
      {
        $defs: { s: { type: 'string' } },
        allOf: list(400, () => ({ contains: { $ref: '#/$defs/s' } })),
      },
      [...list(9000, (i) => i), 'x'],
    ],
    'more errors than are kept': [{ items: { type: 'string' } }, list(19_999, (i) => i)],
    'names that are not evaluated': [
      { properties: named(900, () => true), unevaluatedProperties: { type: 'number' } },
      named(19_000, (i) => i),
    ],
    'a pattern that finds ever new states': [{ items: { pattern: '.*a.{60}$' } }, texts],
    'a pattern of many branches': [{ items: { pattern: '(?:a|b|ab|ba){40}c$' } }, texts],
    'patterns of names': [
      { allOf: list(45, (i) => ({ patternProperties: { [`.*a.{${i + 9}}$`]: false } })) },
      Object.fromEntries(list(500, (i) => [noise(80, 'ab') + i, i])),
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [schema, rule]) => {
    expect(refusalOf(schema, rule)).toMatch(tooMuch);
  });

  it('a long text that meets a pattern, before it is read', () => {
    expect(refusalOf({ pattern: 'a' }, 'b'.repeat(4097))).toMatch(/more than 4096 characters/);
    expect(refusalOf({ pattern: 'a' }, 'b'.repeat(4096))).toMatch(/^taken/);
  });
});

it('a pattern pays for the states that the engine makes as it reads', () => {
  const schema = { pattern: '.*a.{60}$' };
  const known = stepsOf(schema, 'b'.repeat(1000));
  expect(stepsOf(schema, noise(1000, 'ab'))).toBeGreaterThan(5 * known);
});

it('errors that are dropped again are paid for: ajv copies their list at each new one', () => {
  const schema = { $defs: { s: { type: 'string' } }, contains: { $ref: '#/$defs/s' } };
  expect(stepsOf(schema, [...list(8000, (i) => i), 'x'])).toBeGreaterThan(8000 ** 2 / 20);
});

describe('what goes in circles is refused', () => {
  const cases: Record<string, Json> = {
    'at once': { $ref: '#' },
    'through others': {
      $defs: { a: { $ref: '#/$defs/b' }, b: { anyOf: [{ $ref: '#/$defs/a' }] } },
      $ref: '#/$defs/a',
    },
    'through a condition': { if: { not: { $ref: '#' } }, else: { minimum: 1 } },
    'through a thousand others': {
      $defs: named(900, (i) => ({ $ref: `#/$defs/p${(i + 1) % 900}` })),
      $ref: '#/$defs/p0',
    },
  };
  it.each(Object.entries(cases))('%s', (_name, schema) => {
    expect(refusalOf(schema, { a: 1 })).toMatch(/leads from schema to schema|too much work/);
  });
});

describe('what is too large is refused before it is compiled', () => {
  const cases: Record<string, [schema: Json, why: RegExp]> = {
    subschemas: [{ properties: named(maxSubschemas, () => ({})) }, /more than 1000 subschemas/],
    'keys and values': [
      { required: list(maxSchemaNodes, (i) => `r${i}`) },
      /10000 keys and values/,
    ],
    text: [{ const: 'x'.repeat(256 * 1024) }, /more than 256 KiB/],
    'long names, deep': [
      nested(60, (inner) => ({
        properties: { ['x'.repeat(1000)]: typeof inner === 'number' ? true : inner },
      })),
      /its names are too long/,
    ],
    patterns: [
      { anyOf: list(maxPatterns + 1, (i) => ({ pattern: `a${i}` })) },
      /there are more than 50 patterns/,
    ],
    'a pattern, in characters': [{ pattern: 'a'.repeat(1001) }, /more than 1000 characters/],
    'a pattern that counts': [{ pattern: 'a{100}' }, /counts beyond 99/],
    'a pattern, unrolled': [{ pattern: '((a{99}){9})' }, /pattern is too large/],
    'Unicode classes': [
      { pattern: '\\p{L}\\p{Lu}\\p{Ll}\\p{N}\\p{P}\\p{S}\\pZ\\PM\\p{Greek}' },
      /more than 8 different \\p classes/,
    ],
    'a range in which case is ignored': [
      { pattern: '(?i)[a-\\x{10ffff}]' },
      /ignore case in ranges of more than 100000 characters/,
    ],
    'ranges in which case is ignored, of patterns together': [
      { anyOf: list(3, (i) => ({ pattern: `(?i)^${i}[一-鿿]` })) },
      /ignore case in ranges of more than 100000 characters/,
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [schema, why]) => {
    expect(refusalOf(schema, {})).toMatch(why);
  });
});

describe('what is usual is far from the limit', () => {
  const codes = list(4000, (i) => `AB-${i}`);
  const rows = list(2000, (id) => ({ id: `r${id}`, limit: id, unit: 'ug', on: '2024-01-01' }));
  const cases: Record<string, [schema: Json, rule: Json]> = {
    'a list of codes by a pattern': [{ items: { pattern: '^[A-Z]{2}-\\d{1,6}$' } }, codes],
    'a list of codes, unique': [{ items: { type: 'string' }, uniqueItems: true }, codes],
    'a table': [
      {
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['id', 'limit'],
          properties: {
            id: { type: 'string', pattern: '^r\\d+$' },
            limit: { type: 'number', minimum: 0 },
            unit: { enum: ['ug', 'mg'] },
            on: { format: 'date' },
          },
        },
      },
      rows,
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [schema, rule]) => {
    expect(stepsOf(schema, rule)).toBeLessThan(maxSteps / 10);
  });

  it.each([
    ['items', { items: { type: 'number', minimum: 0 } }],
    ['contains', { contains: { const: 5 } }],
    ['unique items', { uniqueItems: true }],
    ['an enum of lists', { items: { enum: list(100, (i) => i).concat(list(900, (i) => i)) } }],
    ['unevaluated items', { prefixItems: [true], unevaluatedItems: { type: 'number' } }],
  ])('and takes twice the steps for twice the length: %s', (_name, schema) => {
    const one = stepsOf(
      schema,
      list(900, (i) => i),
    );
    const two = stepsOf(
      schema,
      list(1800, (i) => i % 900).map((i, at) => (at < 900 ? i : i + 0.5)),
    );
    expect(one).toBeGreaterThan(900);
    expect(two / one).toBeLessThan(2.2);
  });
});
