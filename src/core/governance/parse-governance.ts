import { compileExpression, type Expression } from '../expressions/compile-expression.ts';
import type { YamlPath } from '../packages/yaml-findings.ts';
import type { Json } from '../values/json.ts';
import { governanceLimits } from './governance-limits.ts';
import {
  actionVariables,
  type Effect,
  type GovernanceDocument,
  governanceKind,
  type GovernanceRule,
} from './governance-rule.ts';

/** One thing that is wrong with a document, and what to do. */
export interface GovernanceProblem {
  readonly at: YamlPath | undefined;
  readonly detail: string;
}

export type ParsedGovernance =
  | { readonly document: GovernanceDocument }
  /** At least one. */
  | { readonly problems: readonly GovernanceProblem[] };

type Fields = { readonly [key: string]: Json };

const limits = governanceLimits;

const documentFields = 'id, version, kind, effective, tags, description, default and rules'.split(
  /, | and /,
);
const ruleFields = 'name, deny, allow and message'.split(/, | and /);
const ruleName = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * The governance rules in the body of a policy, or all that is wrong with it, up to 20 problems.
 * Its id, version and the like were checked when it was stored. Never throws.
 */
export function parseGovernance(body: Json): ParsedGovernance {
  return new GovernanceParser().parse(body);
}

class GovernanceParser {
  readonly #problems: GovernanceProblem[] = [];
  #expressionBytes = 0;
  #patternBytes = 0;

  parse(body: Json): ParsedGovernance {
    if (!isMapping(body)) return refused(undefined, 'must be a mapping with kind and rules');
    // What was meant for something else is not picked to pieces.
    if (body['kind'] !== governanceKind) {
      return refused(atKey('kind'), `must be ${governanceKind}, or the policy have another id`);
    }
    this.#known(body, undefined, documentFields);
    const { description } = body;
    if (description !== undefined && typeof description !== 'string') {
      this.#add(atKey('description'), 'must be a text; or leave it out');
    }
    const rules = this.#rules(body['rules']);
    const document = { rules, default: this.#default(body['default'], rules) };
    return this.#problems.length > 0 ? { problems: this.#problems } : { document };
  }

  #rules(value: Json | undefined): readonly GovernanceRule[] {
    const at = atKey('rules');
    if (!isList(value) || value.length > limits.maxRules) {
      const problem = value === undefined ? 'is missing:' : 'must be';
      this.#add(at, `${problem} a list of at most ${limits.maxRules} rules`);
      return [];
    }
    const names = new Set<string>();
    const rules: GovernanceRule[] = [];
    for (const [index, rule] of value.entries()) {
      // Nobody reads on after so many.
      if (this.#problems.length >= limits.maxFindings) break;
      const parsed = this.#rule({ parent: at, key: index }, rule, names);
      if (parsed !== undefined) rules.push(parsed);
    }
    return rules;
  }

  #rule(at: YamlPath, value: Json, names: Set<string>): GovernanceRule | undefined {
    if (!isMapping(value)) {
      this.#add(at, 'must be a mapping with name, and deny or allow');
      return undefined;
    }
    this.#known(value, at, ruleFields);
    const name = this.#name({ parent: at, key: 'name' }, value['name'], names);
    const message = this.#message({ parent: at, key: 'message' }, value['message']);
    const { deny, allow } = value;
    if ((deny === undefined) === (allow === undefined)) {
      this.#add(at, 'needs one of deny and allow: a CEL expression');
      return undefined;
    }
    const effect = deny === undefined ? 'allow' : 'deny';
    const when = this.#expression({ parent: at, key: effect }, value[effect]);
    return when === undefined ? undefined : { name, effect, when, message };
  }

  #name(at: YamlPath, name: Json | undefined, names: Set<string>): string {
    const { maxNameChars } = limits;
    if (typeof name !== 'string' || name.length > maxNameChars || !ruleName.test(name)) {
      const problem = name === undefined ? 'is missing' : 'is no name';
      const wanted = `1 to ${maxNameChars} lower-case letters, digits and dashes`;
      this.#add(at, `${problem}: ${wanted}`);
      return '';
    }
    if (names.has(name)) this.#add(at, 'is there twice; name each rule once');
    names.add(name);
    return name;
  }

  #message(at: YamlPath, message: Json | undefined): string | null {
    if (message === undefined) return null;
    const problem = messageProblem(message);
    if (problem !== undefined) this.#add(at, problem);
    return typeof message === 'string' ? message : null;
  }

  #expression(at: YamlPath, text: Json | undefined): Expression | undefined {
    if (typeof text !== 'string') {
      this.#add(at, 'must be a CEL expression; quote it');
      return undefined;
    }
    this.#expressionBytes += bytesOf(text);
    if (this.#expressionBytes > limits.maxExpressionBytes) {
      const most = `${limits.maxExpressionBytes / 1024} KiB`;
      this.#add(at, `ends beyond the ${most} that all expressions have together; shorten them`);
      return undefined;
    }
    const compiled = compileExpression(text, actionVariables);
    if ('problem' in compiled) {
      this.#add(at, compiled.problem);
      return undefined;
    }
    this.#patternBytes += compiled.expression.patternBytes;
    if (this.#patternBytes > limits.maxPatternBytes) {
      this.#add(at, 'makes the patterns of all rules together too large; leave some out');
      return undefined;
    }
    return compiled.expression;
  }

  /** Beside `default: allow`, a rule that allows would say nothing: somebody relies on it. */
  #default(value: Json | undefined, rules: readonly GovernanceRule[]): Effect {
    const allows = rules.some(({ effect }) => effect === 'allow');
    if (value === undefined) return allows ? 'deny' : 'allow';
    if (value === 'allow' && allows) {
      const detail =
        'must be deny where rules allow: nothing else is then allowed; or leave it out';
      this.#add(atKey('default'), detail);
    } else if (value !== 'allow' && value !== 'deny') {
      this.#add(atKey('default'), 'must be allow or deny; or leave it out');
    }
    return value === 'allow' ? 'allow' : 'deny';
  }

  /** A misspelt `defualt` must not pass for none. */
  #known(fields: Fields, at: YamlPath | undefined, known: readonly string[]): void {
    for (const key of Object.keys(fields)) {
      if (known.includes(key)) continue;
      this.#add({ parent: at, key }, `is no field here; there are ${known.join(', ')}`);
    }
  }

  #add(at: YamlPath | undefined, detail: string): void {
    if (this.#problems.length < limits.maxFindings) this.#problems.push({ at, detail });
  }
}

function refused(at: YamlPath | undefined, detail: string): ParsedGovernance {
  return { problems: [{ at, detail }] };
}

/** It is shown in answers, logs and terminals. */
function messageProblem(message: Json): string | undefined {
  const { maxMessageBytes } = limits;
  if (typeof message !== 'string' || message.trim() === '') return 'must be a text of one line';
  if (bytesOf(message) > maxMessageBytes) return `is longer than ${maxMessageBytes} bytes`;
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(message)) {
    return 'holds a line break or a control character; write one line';
  }
  return undefined;
}

function atKey(key: string): YamlPath {
  return { parent: undefined, key };
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function isMapping(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
