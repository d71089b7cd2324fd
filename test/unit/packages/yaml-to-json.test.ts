import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { yamlToJson, yamlToJsonText } from '../../../src/core/packages/yaml-to-json.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { refusalOf } from './refusal-of.ts';

describe('yamlToJson takes', () => {
  const cases: Record<string, [yaml: string, json: Json]> = {
    'a rule': [
      'id: a\nlimit: 25\ntags: [x, y]\nnested:\n  - deep: true\n  - ~\n',
      { id: 'a', limit: 25, tags: ['x', 'y'], nested: [{ deep: true }, null] },
    ],
    'JSON, which is YAML': [
      '{"a": [1, -2.5e3, "x\\u00e9"], "b": {}}',
      { a: [1, -2500, 'xé'], b: {} },
    ],
    'the core schema, not that of 1.1': [
      '[yes, on, 010, 0x1F, 0o17, +5, .5, 1:20, 2024-09-01, TRUE, Null]',
      ['yes', 'on', 10, 31, 15, 5, 0.5, '1:20', '2024-09-01', true, null],
    ],
    'the safe integers': ['[9007199254740991, -9007199254740991]', [2 ** 53 - 1, 1 - 2 ** 53]],
    'a large decimal': ['[1e20, 9007199254740993.0]', [1e20, 2 ** 53]],
    'core tags that fit': [
      '[!!str 1, !!int 1, !!float 1.5, !!null ~, !!seq [!!bool true]]',
      ['1', 1, 1.5, null, [true]],
    ],
    'anchors and aliases': ['a: &a {b: 1}\nc: [*a, *a]', { a: { b: 1 }, c: [{ b: 1 }, { b: 1 }] }],
    'an anchor set twice: the last one before counts': ['[&a 1, *a, &a 2, *a]', [1, 1, 2, 2]],
    'an anchor set again within itself': ['- &a [&a 1, *a]\n- *a', [[1, 1], 1]],
    'an anchor on a key': ['&a k: *a', { k: 'k' }],
    'keys that are numbers or booleans as written': [
      '1: a\n1.5: b\ntrue: c',
      { 1: 'a', 1.5: 'b', true: 'c' },
    ],
    'keys without a value': ['{a, b: }', { a: null, b: null }],
    'a quoted <<': ['"<<": 1', { '<<': 1 }],
    'a pair in a list': ['[a: 1]', [{ a: 1 }]],
    'block scalars': ['a: |\n  x\n   y\nb: >-\n  x\n  y\n', { a: 'x\n y\n', b: 'x y' }],
    'a byte order mark, a directive and an end mark': [
      '\ufeff%YAML 1.2\n---\na: 1\n...\n',
      { a: 1 },
    ],
    'Windows line ends': ['a: 1\r\nb: |\r\n  x\r\n', { a: 1, b: 'x\n' }],
    'a surrogate pair in escapes': ['"\\ud83d\\ude00"', '😀'],
    'a scalar document': ['~', null],
    'an empty text': ['""', ''],
    'a flow collection that ends at the indent of its key': ['a: [\n  1\n]', { a: [1] }],
    '32 levels': [
      `${'['.repeat(32)}${']'.repeat(32)}`,
      JSON.parse(`${'['.repeat(32)}${']'.repeat(32)}`),
    ],
  };
  it.each(Object.entries(cases))('%s', (_name, [yaml, json]) => {
    expect(yamlToJson(yaml)).toStrictEqual(json);
  });

  it('keeps the order of the keys in the text, integers too', () => {
    expect(yamlToJsonText('b: 1\n10: 2\n2: 3\na: {z: 1, "1": 2}')).toBe(
      '{"b":1,"10":2,"2":3,"a":{"z":1,"1":2}}',
    );
  });

  it('as many nodes as the limit', () => {
    expect(yamlToJson(`[${'1,'.repeat(19_998)}1]`)).toHaveLength(19_999);
  });
});

describe('yamlToJson refuses', () => {
  const cases: Record<string, [yaml: string, pointer: string, detail: RegExp]> = {
    'a syntax error': ['a: [1\nb: 2', '', /^line 2, column 1: Flow sequence/],
    'bad indentation': ['a:\n  b: 1\n c: 2', '', /^line 3, column 1: /],
    'a tab as indentation': ['a:\n\tb: 1', '', /^line 2, column 1: .*[Tt]ab/],
    'a stray bracket': ['a: 1\n]', '', /^line 2, column 1: Unexpected/],
    'an unknown escape': ['a: "\\z"', '', /^line 1, column 5: Invalid escape/],
    'two documents': ['a: 1\n---\nb: 2', '', /^line 2, column 1: a second document/],
    'an empty second document': ['a: 1\n---\n', '', /^line 2, column 1: a second document/],
    'an empty text': ['', '', /^line 1, column 1: the document is empty/],
    'comments alone': ['# nothing\n\n', '', /the document is empty/],
    'an empty document': ['---\n...\n', '', /the document is empty/],
    'a key twice': ['a: 1\nb: {c: 1, c: 2}', '/b/c', /^line 2, column 11: the key "c" is repeated/],
    'keys of one JSON name': ['1: a\n"1": b', '/1', /^line 2, column 1: the key "1" is repeated/],
    'a key that JSON would change': [
      'x: {1.10: a}',
      '/x/1.1',
      /^line 1, column 5: quote the key 1.10/,
    ],
    'a hexadecimal key': ['0x10: a', '/16', /quote the key 0x10/],
    'a null key': ['~: a', '/null', /quote the key ~/],
    'an empty key': [': a', '/null', /a key is left empty/],
    'a large integer as a key': [
      '12345678901234567890: a',
      '/12345678901234567000',
      /quote the key/,
    ],
    'a list as a key': ['a:\n  ? [b]\n  : 1', '/a', /^line 2, column 5: a key must be/],
    'a mapping as a key': ['{{a: 1}: 2}', '', /a key must be/],
    'an alias as a key': ['- &a x\n- *a : 1', '/1', /^line 2, column 3: a key must be/],
    __proto__: [
      'a: {__proto__: 1}',
      '/a/__proto__',
      /^line 1, column 5: the key "__proto__" is not/,
    ],
    'a quoted constructor': ['"constructor": 1', '/constructor', /is not allowed/],
    prototype: ['prototype: 1', '/prototype', /is not allowed/],
    'a merge key': ['a: &a {x: 1}\nb:\n  <<: *a', '/b/<<', /^line 3, column 3: merge keys/],
    'a custom tag': ['a: !x 1', '/a', /^line 1, column 7: the tag !x/],
    'a custom tag on a list': ['a: !x [1]', '/a', /the tag !x/],
    'a custom tag on a key': ['!x a: 1', '/a', /the tag !x/],
    '!!binary': ['a: !!binary aGk=', '/a', /the tag tag:yaml.org,2002:binary/],
    '!!timestamp': ['a: !!timestamp 2024-01-01', '/a', /the tag/],
    '!!set': ['!!set {a, b}', '', /the tag/],
    '!!omap': ['!!omap [a: 1]', '', /the tag/],
    'a core tag that does not fit': ['a: [!!int x, !!map [], !!bool 1]', '/a/0', /the tag/],
    'a tag of another namespace': ['a: !<tag:example.org,2002:str> x', '/a', /the tag/],
    'an unknown tag handle': ['a: !e!x 1', '', /Could not resolve tag/],
    NaN: ['a: [.nan]', '/a/0', /^line 1, column 5: JSON has no number .nan/],
    infinity: ['a: -.inf', '/a', /JSON has no number -.inf/],
    'a decimal beyond all doubles': ['a: 1e999', '/a', /JSON has no number 1e999/],
    'an unsafe integer': [
      'a: 9007199254740992',
      '/a',
      /^line 1, column 4: the integer .* quote it/,
    ],
    'an unsafe hexadecimal integer': ['a: 0xffffffffffffffff', '/a', /quote it/],
    'an unsafe octal integer': ['a: -9007199254740992', '/a', /quote it/],
    'half a surrogate pair': ['a: "\\ud83d"', '/a', /surrogate/],
    'half a surrogate pair in a key': ['"\\ude00": 1', '/\ude00', /surrogate/],
    'half a surrogate pair, raw': ['a: \ud83d', '', /surrogate/],
    'an escaped NUL': ['a: "\\0"', '/a', /NUL/],
    'an escaped NUL in a key': ['"a\\x00": 1', '/a\0', /NUL/],
    'a raw NUL': ['a: \0', '', /^line 1, column 4: the character U\+0000/],
    'a raw control character': ['a: 1\nb: \x1f', '', /^line 2, column 4: the character U\+001f/],
    'a carriage return alone': ['a: 1\rb: 2', '', /^line 1, column 5: the character U\+000d/],
    'YAML 1.1': ['%YAML 1.1\n---\na: yes', '', /^line 1, column 1: directives/],
    'a tag directive': ['%TAG ! tag:x,2000:\n---\na: 1', '', /directives/],
    'an alias of nothing': ['a: *b', '/a', /^line 1, column 4: the alias \*b stands for nothing/],
    'an alias before its anchor': ['a: *b\nb: &b 1', '/a', /stands for nothing/],
    'an alias that contains itself': [
      'a: &a [1, *a]',
      '/a/1',
      /^line 1, column 11: .* contains itself/,
    ],
    'an alias that contains itself deeper': ['a: &a {b: {c: *a}}', '/a/b/c', /contains itself/],
    'an ambiguous alias': ['a: &b: 1\nc: *b:', '', /ambiguous/],
  };
  it.each(Object.entries(cases))('%s', async (_name, [yaml, pointer, detail]) => {
    const refusal = await refusalOf(() => yamlToJson(yaml));
    expect(refusal.code).toBe('invalid_policy');
    expect(refusal.details[0]).toEqual({ pointer, detail: expect.stringMatching(detail) });
    expect(refusal.message).toContain(refusal.details[0]?.detail);
  });

  it('all findings at once', async () => {
    const yaml = 'a: .nan\n"x/y~z": {b: !x 1}\na: 2\n<<: {}';
    const { details } = await refusalOf(() => yamlToJson(yaml));
    expect(details.map(({ pointer }) => pointer)).toEqual(['/a', '/x~1y~0z/b', '/a', '/<<']);
  });

  it('all syntax errors at once, up to 20', async () => {
    const two = await refusalOf(() => yamlToJson('a: "\\z"\nb: "\\y"'));
    expect(two.details).toHaveLength(2);
    const many = await refusalOf(() => yamlToJson('- "\\z"\n'.repeat(50)));
    expect(many.details).toHaveLength(20);
  });

  it('quotes no more of a hostile text than it must', async () => {
    const refusal = await refusalOf(() => yamlToJson(`a: !${'x'.repeat(200_000)} 1`));
    expect(refusal.message.length).toBeLessThan(1000);
    const key = 'k'.repeat(50_000);
    const deep = await refusalOf(() => yamlToJson(`a:\n  ? ${key}\n  : [.nan]`));
    expect(deep.details[0]?.pointer).toBe('/a');
  });
});

describe('yamlToJson is bounded', () => {
  const size = 256 * 1024;
  const fill = (pattern: string, start = '') =>
    (start + pattern.repeat(Math.ceil(size / pattern.length))).slice(0, size);
  const laughs = 'abcdefghijkl'
    .split('')
    .map((name, index, names) => `${name}: &${name} [${`*${names[index - 1]},`.repeat(9)}]\n`)
    .join('')
    .replaceAll('*undefined', 'ha');

  const tooDeep: Record<string, string> = {
    '33 levels': `${'['.repeat(33)}${']'.repeat(33)}`,
    '33 levels, the last one implied': `${'['.repeat(32)}a: 1${']'.repeat(32)}`,
    '33 levels through an alias': `- &a ${'['.repeat(20)}${']'.repeat(20)}\n- ${'['.repeat(12)}*a${']'.repeat(12)}`,
    brackets: fill('['),
    braces: fill('{'),
    'nested pairs': fill('{a: '),
    'nested lists': fill('- '),
    'nested keys': fill('? '),
    'nested colons': fill(': '),
    'nested anchors': fill('&a [*a, '),
    'a staircase': Array.from({ length: 600 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'keys within keys': fill('{? '),
    'lists and keys in turn': fill('- ? - : '),
  };
  it.each(Object.entries(tooDeep))('in depth: %s', async (_name, yaml) => {
    const { details } = await refusalOf(() => yamlToJson(yaml));
    expect(details[0]?.detail).toMatch(/nested deeper than 32 levels/);
  });

  const tooMany: Record<string, string> = {
    '20 001 nodes': `[${'1,'.repeat(19_999)}1]`,
    'billion laughs': laughs,
    'billion laughs in mappings': laughs.replaceAll('[', '[{x: [').replaceAll(']', ']}]'),
    'many aliases of a list': `- &a [${'1,'.repeat(999)}1]\n${'- *a\n'.repeat(30)}`,
    'a list of numbers': fill('1,', '['),
    'a list of nothing': fill('-\n'),
    'empty mappings': fill('- {}\n'),
    'keys of nothing': fill('? a\n: b\n'),
  };
  it.each(Object.entries(tooMany))('in nodes: %s', async (_name, yaml) => {
    const { details } = await refusalOf(() => yamlToJson(yaml));
    expect(details[0]?.detail).toMatch(/more than 20000 keys and values/);
  });

  it('in the length of what aliases stand for', async () => {
    const yaml = `- &a "${'x'.repeat(100_000)}"\n${'- *a\n'.repeat(30)}`;
    const { details } = await refusalOf(() => yamlToJson(yaml));
    expect(details[0]?.detail).toMatch(/more than 1024 KiB of JSON/);
  });

  it('in text', async () => {
    const { details } = await refusalOf(() => yamlToJson(' '.repeat(size + 1)));
    expect(details[0]?.detail).toMatch(/more than 256 KiB/);
  });

  const costly: Record<string, string> = {
    'stray closing brackets': fill(']'),
    commas: fill(',', '['),
    'lines that are errors': fill('- @\n'),
    'escapes that are errors': fill('\\z', '"'),
    'open quotes': fill('a: "x\n'),
    'anchors on anchors': fill('&a '),
    'tags on tags': fill('!a '),
    'a long anchor': fill('a', '&'),
    'a long alias': fill('a', '*'),
    'a long tag': fill('%41', '!'),
    'a long key': `${'a'.repeat(size - 3)}: 1`,
    'a long number': fill('9'),
    'a long quoted text': `"${'\\"'.repeat(size / 2 - 1)}"`,
    backslashes: fill('\\', '"'),
    'single quotes': fill("'"),
    'blank lines in quotes': fill('\n', '"'),
    'blank lines in a block': fill('\n', '|\n'),
    'trailing spaces': fill(' \n', '|\n a\n'),
    comments: fill('#\n'),
    'comments in a mapping': fill(' #\n', 'a: 1\n'),
    documents: fill('---\n'),
    'document ends': fill('...\n'),
    directives: fill('%A\n'),
    'the same key': fill('a: 1\n'),
    'other keys': Array.from({ length: 30_000 }, (_, key) => `k${key}: 1`)
      .join('\n')
      .slice(0, size),
    'lone carriage returns': fill('\r'),
    'byte order marks': fill('\ufeff\n'),
  };
  it.each(Object.entries(costly))('in time: %s', (_name, yaml) => {
    const startedMs = performance.now();
    expect(['text', 'refused']).toContain(outcomeOf(yaml));
    // Half a second at most; what is not linear takes minutes.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

/** Fails the test on anything but a JSON text or an `AppError`. */
function outcomeOf(yaml: string): 'text' | 'refused' {
  try {
    JSON.parse(yamlToJsonText(yaml));
    return 'text';
  } catch (error) {
    if (error instanceof AppError) return 'refused';
    throw error;
  }
}

describe('yamlToJson, whatever comes', () => {
  const json = fc
    .jsonValue({ maxDepth: 6, stringUnit: 'grapheme' })
    .map((value) => JSON.parse(JSON.stringify(value)) as Json)
    .filter((value) => !/"(?:__proto__|constructor|prototype|<<)":/.test(JSON.stringify(value)))
    .filter((value) => !/(?<![\d.])\d{16,}(?![.e])/.test(JSON.stringify(value)))
    // `yaml` writes these as they are, which YAML does not allow.
    .filter((value) => !/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/u.test(stringify(value)));

  it('gives back what was written as YAML', () => {
    fc.assert(
      fc.property(
        json,
        fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
        (value, style) => {
          const yaml = stringify(value, { defaultStringType: style, aliasDuplicateObjects: true });
          expect(yamlToJson(yaml)).toStrictEqual(value);
          expect(yamlToJsonText(JSON.stringify(value))).toBe(JSON.stringify(value));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('throws nothing but AppError', () => {
    const atoms = fc.constantFrom(
      '\n',
      ' ',
      '  ',
      '\t',
      '#',
      '- ',
      '-',
      '? ',
      ': ',
      ':',
      ',',
      '[',
      ']',
      '{',
      '}',
      'a',
      '"',
      "'",
      '\\',
      '|\n',
      '>-\n',
      '&a ',
      '*a',
      '!t ',
      '!!str ',
      '1',
      '<<',
      '\r\n',
      '%',
      '---\n',
      '...\n',
      '@',
      'a: ',
      '- a\n',
      'a: b\n',
      '😀',
      '\ufeff',
      '"\\u',
      '~',
      '.inf',
      '0x',
    );
    const soup = fc.array(atoms, { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (yaml) => {
        outcomeOf(yaml);
      }),
      { numRuns: 5000 },
    );
  });
});
