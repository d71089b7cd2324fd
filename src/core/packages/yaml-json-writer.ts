import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { packageLimits } from './package-limits.ts';
import type { YamlFindings, YamlPath } from './yaml-findings.ts';
import { keyText, scalarJson, tagProblem } from './yaml-scalars.ts';

const { maxYamlDepth, maxYamlNodes, maxBodyChars } = packageLimits;

/** A part of the document as JSON, with what an alias of it costs. */
interface Written {
  readonly json: string;
  readonly nodes: number;
  /** Levels of collections in it: 0 for a scalar. */
  readonly height: number;
}

/** Where an anchor stands: `written` is undefined while we are inside of it. */
interface Anchored {
  written: Written | undefined;
}

/** In place of a value that was refused, so that the rest is checked too. */
const nothing: Written = { json: 'null', nodes: 1, height: 0 };

/**
 * Turns a composed document into minimised JSON text, keys in their order. An alias costs what
 * it stands for, but is never walked again: time is linear in the text, size within the limits.
 */
export class YamlJsonWriter {
  readonly #findings: YamlFindings;
  readonly #anchors = new Map<string, Anchored>();
  #nodes = 0;
  #chars = 0;

  constructor(findings: YamlFindings) {
    this.#findings = findings;
  }

  write(root: Node): string {
    return this.#value(root, undefined, 0).json;
  }

  #value(node: unknown, path: YamlPath | undefined, depth: number): Written {
    if (isAlias(node)) return this.#alias(node, path, depth);
    const anchored: Anchored = { written: undefined };
    if (isNode(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, anchored);
    const before = this.#nodes;
    const { json, height } = this.#tagged(node, path, depth);
    const written = { json, height, nodes: this.#nodes - before };
    anchored.written = written;
    return written;
  }

  #tagged(node: unknown, path: YamlPath | undefined, depth: number): Written {
    if (isNode(node) && !isAlias(node)) {
      const problem = tagProblem(node);
      if (problem !== undefined) this.#findings.add(startOf(node), problem, path);
    }
    if (isMap(node)) return this.#map(node, path, depth + 1);
    if (isSeq(node)) return this.#seq(node, path, depth + 1);
    if (isScalar(node)) return this.#scalar(node, path);
    // `{a}` and `? a`: a key without a value.
    this.#count(1, nothing.json.length, undefined, path);
    return nothing;
  }

  #map(node: YAMLMap, path: YamlPath | undefined, depth: number): Written {
    this.#enter(node, path, depth);
    const keys = new Set<string>();
    const members: string[] = [];
    let height = 0;
    for (const { key, value } of node.items) {
      const name = this.#key(key, keys, path);
      const written = this.#value(value, { parent: path, key: name }, depth);
      members.push(`${JSON.stringify(name)}:${written.json}`);
      height = Math.max(height, written.height);
    }
    return { json: `{${members.join(',')}}`, height: height + 1, nodes: 0 };
  }

  #seq(node: YAMLSeq, path: YamlPath | undefined, depth: number): Written {
    this.#enter(node, path, depth);
    const items: string[] = [];
    let height = 0;
    for (const item of node.items) {
      const written = this.#value(item, { parent: path, key: items.length }, depth);
      items.push(written.json);
      height = Math.max(height, written.height);
    }
    return { json: `[${items.join(',')}]`, height: height + 1, nodes: 0 };
  }

  #key(key: unknown, known: Set<string>, path: YamlPath | undefined): string {
    const offset = startOf(key);
    if (!isScalar(key)) {
      this.#findings.add(offset, 'a key must be a plain or quoted text; write it out', path);
      return '?';
    }
    const { name, problem } = keyText(key);
    const at: YamlPath = { parent: path, key: name };
    this.#count(1, name.length, key, at);
    if (problem !== undefined) this.#findings.add(offset, problem, at);
    if (known.has(name)) this.#findings.add(offset, `the key "${name}" is repeated; keep one`, at);
    known.add(name);
    if (key.anchor !== undefined) {
      const written = { json: scalarJson(key).json, nodes: 1, height: 0 };
      this.#anchors.set(key.anchor, { written });
    }
    return name;
  }

  #scalar(node: Scalar, path: YamlPath | undefined): Written {
    const { json, problem } = scalarJson(node);
    this.#count(1, json.length, node, path);
    if (problem !== undefined) this.#findings.add(startOf(node), problem, path);
    return { json, height: 0, nodes: 1 };
  }

  #alias(node: Alias, path: YamlPath | undefined, depth: number): Written {
    const anchored = this.#anchors.get(node.source);
    const written = anchored?.written;
    if (written === undefined) {
      const what = anchored === undefined ? 'stands for nothing before it' : 'contains itself';
      this.#findings.add(startOf(node), `the alias *${node.source} ${what}; write it out`, path);
      return nothing;
    }
    this.#count(written.nodes, written.json.length, node, path);
    this.#requireDepth(depth + written.height, node, path);
    return written;
  }

  #enter(node: Node, path: YamlPath | undefined, depth: number): void {
    this.#count(1, 2, node, path);
    this.#requireDepth(depth, node, path);
  }

  #requireDepth(depth: number, node: unknown, path: YamlPath | undefined): void {
    if (depth <= maxYamlDepth) return;
    this.#findings.refuse(
      startOf(node),
      `nested deeper than ${maxYamlDepth} levels; flatten it`,
      path,
    );
  }

  #count(nodes: number, chars: number, node: unknown, path: YamlPath | undefined): void {
    this.#nodes += nodes;
    this.#chars += chars;
    if (this.#nodes > maxYamlNodes) {
      const what = `more than ${maxYamlNodes} keys and values, aliases expanded; split it up`;
      this.#findings.refuse(startOf(node), what, path);
    }
    if (this.#chars > maxBodyChars) {
      const what = `more than ${maxBodyChars / 1024} KiB of JSON, aliases expanded; split it up`;
      this.#findings.refuse(startOf(node), what, path);
    }
  }
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}
