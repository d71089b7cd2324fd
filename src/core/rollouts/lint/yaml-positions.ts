import { isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { TextLines, type TextPosition } from '../../packages/text-lines.ts';
import type { YamlPath } from '../../packages/yaml-findings.ts';
import { keyText } from '../../packages/yaml-scalars.ts';

/**
 * Where the values of a rule stand in its YAML. A look-up takes as many steps as the path is
 * long; the keys of a mapping are read once.
 */
export class YamlPositions {
  readonly #lines: TextLines;
  readonly #root: Node;
  readonly #members = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(text: string, root: Node) {
    this.#lines = new TextLines(text);
    this.#root = root;
  }

  /**
   * Of the value itself, after its anchor and tag; within an alias, of the alias; of what is not
   * there, of the nearest value around it.
   */
  at(path: YamlPath | undefined): TextPosition {
    return this.#lines.at(this.#offset(path));
  }

  #offset(path: YamlPath | undefined): number {
    let node = this.#root;
    for (const key of keysOf(path)) {
      const inner = this.#step(node, key);
      if (typeof inner === 'number') return inner;
      if (inner === undefined) break;
      node = inner;
    }
    return startOf(node);
  }

  /** The offset of the key stands for a value that is left out: `{a}`. */
  #step(node: Node, key: string | number): Node | number | undefined {
    if (isSeq(node)) {
      const item = node.items[Number(key)];
      return isNode(item) ? item : undefined;
    }
    if (!isMap(node)) return undefined;
    const pair = this.#membersOf(node).get(String(key));
    if (pair === undefined) return undefined;
    return isNode(pair.value) ? pair.value : startOf(pair.key);
  }

  #membersOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    const known = this.#members.get(map);
    if (known !== undefined) return known;
    const members = new Map<string, Pair>();
    for (const pair of map.items) {
      if (isScalar(pair.key)) members.set(keyText(pair.key).name, pair);
    }
    this.#members.set(map, members);
    return members;
  }
}

function keysOf(path: YamlPath | undefined): readonly (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.parent) keys.push(at.key);
  return keys.reverse();
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}
