import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { composeYaml } from '../../../../src/core/packages/compose-yaml.ts';
import { YamlFindings, type YamlPath } from '../../../../src/core/packages/yaml-findings.ts';
import { YamlPositions } from '../../../../src/core/rollouts/lint/yaml-positions.ts';

function positionsOf(text: string): YamlPositions {
  return new YamlPositions(text, composeYaml(text, new YamlFindings(text)));
}

function pathOf(keys: readonly (string | number)[]): YamlPath | undefined {
  return keys.reduce<YamlPath | undefined>((parent, key) => ({ parent, key }), undefined);
}

describe('the position of', () => {
  const cases: Record<string, [text: string, path: (string | number)[], at: string]> = {
    'a value after a comment': ['# x\na: 1 # y\n# z\nb:  2', ['b'], '4:5'],
    'a value on the line after its key': ['a:\n  # x\n  1', ['a'], '3:3'],
    'a nested mapping: its first key': ['a:\n  b:\n    c: 1', ['a', 'b'], '3:5'],
    'an item of a list': ['a:\n  - 1\n  -   b: 2', ['a', 1, 'b'], '3:10'],
    'an item, by a text': ['a: [1, 22, 3]', ['a', '2'], '1:12'],
    'flow within flow': ['a: {b: [{c: 1}, {c: 2}]}', ['a', 'b', 1, 'c'], '1:21'],
    'a flow collection: its bracket': ['a: {b: [1]}', ['a', 'b'], '1:8'],
    'a pair in a list': ['a: [x: 1]', ['a', 0, 'x'], '1:8'],
    'a quoted text: its quote': ['a: "x"', ['a'], '1:4'],
    'a block scalar: its mark': ['a: |\n  x', ['a'], '1:4'],
    'an anchored value: the value': ['a: &x !!int 1', ['a'], '1:13'],
    'an alias: the alias': ['a: &x {b: 1}\nc: *x', ['c'], '2:4'],
    'what is within an alias: the alias': ['a: &x {b: [1]}\nc: *x', ['c', 'b', 0], '2:4'],
    'what is within its anchor: the value': ['a: &x {b: [1]}\nc: *x', ['a', 'b', 0], '1:12'],
    'a missing field: the mapping around it': ['a: 1\nb:\n  c: 2', ['b', 'x', 'y'], '3:3'],
    'a missing field at the top: the first key': ['# x\n---\n# y\na: 1', ['x'], '4:1'],
    'a missing item: the list': ['a: [1]', ['a', 7], '1:4'],
    'what is within a scalar: the scalar': ['a: 1', ['a', 'b'], '1:4'],
    'a key without a value in flow: the key': ['a: {b, c: }', ['a', 'b'], '1:5'],
    'a value left out': ['a:\nb: 1', ['a'], '1:3'],
    'a key that is a number': ['1: a\n2: b', ['2'], '2:4'],
    'a key with an anchor': ['&k a: 1', ['a'], '1:7'],
    'the root': ['# x\na: 1', [], '2:1'],
    'a text with Windows line ends': ['a: 1\r\nb:\r\n  c: 2\r\n', ['b', 'c'], '3:6'],
    'what follows letters beyond ASCII: each is one': ['{"é": "ü", b: 1}', ['b'], '1:15'],
    'what follows an emoji: it is two, as in LSP': ['{"😀": "x", b: 1}', ['b'], '1:16'],
    'what follows a tab: it is one': ['a:\t1', ['a'], '1:4'],
  };
  it.each(Object.entries(cases))('%s', (_name, [text, path, at]) => {
    const { line, column } = positionsOf(text).at(pathOf(path));
    expect(`${line}:${column}`).toBe(at);
  });
});

it('finds each leaf where it is written, in any style', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constant(0),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b/c', 'é', 'a b', '~'), tie('tree'), { minKeys: 1 }),
    ),
  }));
  const style = fc.constantFrom('block' as const, 'flow' as const);
  fc.assert(
    fc.property(tree, style, fc.boolean(), (shape, collectionStyle, windows) => {
      const leaves: (string | number)[][] = [];
      const numbered = number(shape, [], leaves);
      const yaml = stringify(numbered, { collectionStyle, aliasDuplicateObjects: false });
      const text = windows ? yaml.replaceAll('\n', '\r\n') : yaml;
      const positions = positionsOf(text);
      const lines = text.split('\n');
      for (const [index, path] of leaves.entries()) {
        const { line, column } = positions.at(pathOf(path));
        expect(lines[line - 1]?.slice(column - 1)).toMatch(new RegExp(`^${1000 + index}\\b`));
      }
    }),
  );
});

/** The same shape with a number of its own at each leaf. */
function number(shape: unknown, path: (string | number)[], leaves: (string | number)[][]): unknown {
  if (Array.isArray(shape)) return shape.map((one, i) => number(one, [...path, i], leaves));
  if (typeof shape === 'object' && shape !== null) {
    const entries = Object.entries(shape);
    return Object.fromEntries(
      entries.map(([key, one]) => [key, number(one, [...path, key], leaves)]),
    );
  }
  leaves.push(path);
  return 999 + leaves.length;
}
