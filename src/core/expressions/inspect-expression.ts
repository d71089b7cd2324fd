import { parse } from '@bufbuild/cel';
import type { RE2JS } from '@bufbuild/re2';
import { expressionLimits } from './expression-limits.ts';
import { compilePattern } from './linear-pattern.ts';
import { meterRange, standardEnv } from './metered-env.ts';

export type Expr = ReturnType<typeof parse>['expr'];

const { maxDepth, maxNodes, maxNestedMacros, maxPatterns } = expressionLimits;

/** What the planner evaluates by itself. */
const operators = new Set(['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false']);

const typeNames = ['bool', 'bytes', 'double', 'dyn', 'int', 'list', 'map', 'null_type', 'string'];
const knownTypes = [...typeNames, 'type', 'uint'];

/** Where in the tree, and what is known there. */
interface Place {
  readonly depth: number;
  readonly macros: number;
  readonly names: ReadonlySet<string>;
}

/**
 * Goes through a parsed expression once: refuses names and functions that do not exist and what
 * exceeds the limits, compiles its patterns, and makes each macro pay for its range. The tree is
 * changed in place. Errors: `Error`, whose message says what is wrong.
 */
export class ExpressionInspector {
  readonly patterns = new Map<string, RE2JS>();
  #nodes = 0;

  inspect(root: Expr, variables: readonly string[]): void {
    this.#expr(root, { depth: 1, macros: 0, names: new Set([...variables, ...knownTypes]) });
  }

  #expr(expr: Expr | undefined, place: Place): void {
    if (expr === undefined) return;
    this.#nodes += 1;
    if (this.#nodes > maxNodes) throw new Error(`has more than ${maxNodes} parts; split it up`);
    if (place.depth > maxDepth) throw new Error(`is nested deeper than ${maxDepth} levels`);
    const inner = { ...place, depth: place.depth + 1 };
    const { exprKind: kind } = expr;
    switch (kind.case) {
      case 'identExpr':
        return this.#name(kind.value.name, place);
      case 'selectExpr':
        return this.#expr(kind.value.operand, inner);
      case 'callExpr':
        return this.#call(kind.value, inner);
      case 'listExpr':
        return kind.value.elements.forEach((element) => this.#expr(element, inner));
      case 'structExpr':
        return this.#map(kind.value, inner);
      case 'comprehensionExpr':
        return this.#macro(kind.value, inner);
      default:
        return undefined;
    }
  }

  #name(name: string, { names }: Place): void {
    if (names.has(name.replace(/^\./, ''))) return;
    const known = [...names].filter((one) => !knownTypes.includes(one) && !one.startsWith('@'));
    throw new Error(`names ${quoted(name)}, which is none of ${known.join(', ')}`);
  }

  #call(call: Kind<'callExpr'>, place: Place): void {
    const { function: name, target, args } = call;
    if (!operators.has(name) && standardEnv.funcs.find(name) === undefined) {
      throw new Error(`calls ${quoted(name)}, which is no function or macro of CEL`);
    }
    if (name === 'matches') this.#pattern(args.at(-1));
    this.#expr(target, place);
    for (const arg of args) this.#expr(arg, place);
  }

  /** A pattern that comes with the data could not be checked before it runs. */
  #pattern(arg: Expr | undefined): void {
    const constant =
      arg?.exprKind.case === 'constExpr' ? arg.exprKind.value.constantKind : undefined;
    if (constant?.case !== 'stringValue') {
      throw new Error('matches() needs its pattern written out, as a text in quotes');
    }
    const pattern = constant.value;
    if (this.patterns.has(pattern)) return;
    if (this.patterns.size >= maxPatterns) throw new Error(`has more than ${maxPatterns} patterns`);
    this.patterns.set(pattern, compilePattern(pattern));
  }

  #map({ messageName, entries }: Kind<'structExpr'>, place: Place): void {
    if (messageName !== '') throw new Error(`makes a ${quoted(messageName)}; make a map`);
    for (const { keyKind, value } of entries) {
      if (keyKind.case === 'mapKey') this.#expr(keyKind.value, place);
      this.#expr(value, place);
    }
  }

  #macro(macro: Kind<'comprehensionExpr'>, place: Place): void {
    const macros = place.macros + 1;
    if (macros > maxNestedMacros) {
      throw new Error(`has more than ${maxNestedMacros} macros within each other`);
    }
    this.#expr(macro.iterRange, place);
    this.#expr(macro.accuInit, place);
    const before = this.#nodes;
    const names = new Set([...place.names, macro.iterVar, macro.accuVar]);
    for (const part of [macro.loopCondition, macro.loopStep, macro.result]) {
      this.#expr(part, { ...place, macros, names });
    }
    if (macro.iterRange !== undefined) {
      macro.iterRange = meteredRange(macro.iterRange, this.#nodes - before);
    }
  }
}

type Kind<C> = Extract<Expr['exprKind'], { case: C }> extends { value: infer V } ? V : never;

function meteredRange(range: Expr, nodes: number): Expr {
  const { expr } = parse(`${meterRange}(x, ${nodes})`);
  if (expr.exprKind.case === 'callExpr') expr.exprKind.value.args[0] = range;
  return expr;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
