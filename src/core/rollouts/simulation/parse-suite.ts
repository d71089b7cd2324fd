import type { ErrorDetail } from '../../errors/app-error.ts';
import { Unprocessable } from '../../errors/app-error.ts';
import { isPolicyId } from '../../policies/policy-id.ts';
import type { Json } from '../../values/json.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import { decisionProblem } from './decision-text.ts';
import { simulationLimits } from './simulation-limits.ts';
import {
  type Decidable,
  decisionVariables,
  expectVariables,
  isSuiteName,
  type Scenario,
  type Suite,
} from './suite.ts';

const limits = simulationLimits;

type Fields = { readonly [key: string]: Json };

const suiteFields =
  'suite, description, policies, decision, expect, threshold, protected and scenarios';
const scenarioFields = 'name, cohort, input, recorded and expected';

/**
 * The suite in a document, named `name`. With `owner`, the policy whose package holds it, the
 * suite is for that policy; without, it is registered and says whom it is for.
 * Errors: `Unprocessable` (`invalid_policy`) with a pointer for everything wrong, up to 20.
 */
export function parseSuite(name: string, document: Json, owner?: string): Suite {
  return new SuiteParser().suite(name, document, owner);
}

class SuiteParser {
  readonly #findings: ErrorDetail[] = [];

  suite(name: string, document: Json, owner: string | undefined): Suite {
    if (!isMapping(document)) {
      this.#add('', 'must be a mapping with decision and scenarios');
      throw this.#refusal(name);
    }
    this.#known(document, '', suiteFields);
    this.#name(name, document);
    const scenarios = this.#scenarios(document);
    const suite: Suite = {
      name: owner === undefined ? name : `${owner}/${name}`,
      policies: this.#policies(document, owner),
      decision: this.#expression('/decision', document['decision'], decisionVariables) ?? '',
      expect:
        document['expect'] === undefined
          ? null
          : this.#expression('/expect', document['expect'], expectVariables),
      threshold: this.#threshold(document),
      protected: this.#protected(document, scenarios),
      size: scenarios.length,
      scenarios,
    };
    if (this.#findings.length > 0) throw this.#refusal(name);
    return suite;
  }

  #name(name: string, { suite, description }: Fields): void {
    if (!isSuiteName(name)) {
      const wanted = '1 to 64 lower-case letters, digits and dashes';
      this.#add('/suite', `the suite is named "${name.slice(0, 100)}"; use ${wanted}`);
    }
    if (suite !== undefined && suite !== name)
      this.#add('/suite', `must be "${name}"; or leave it out`);
    if (description !== undefined && typeof description !== 'string') {
      this.#add('/description', 'must be a text; or leave it out');
    }
  }

  #policies({ policies }: Fields, owner: string | undefined): readonly string[] {
    if (owner !== undefined) {
      if (policies !== undefined && JSON.stringify(policies) !== JSON.stringify([owner])) {
        this.#add('/policies', `is ["${owner}"] in the package of that policy; leave it out`);
      }
      return [owner];
    }
    const ids = this.#texts(
      '/policies',
      policies,
      limits.maxPolicies,
      'ids of policies',
      isPolicyId,
    );
    if (ids.length === 0) this.#add('/policies', 'is missing: the ids of 1 to 20 policies');
    return ids;
  }

  #expression(
    pointer: string,
    text: Json | undefined,
    variables: readonly string[],
  ): string | null {
    if (typeof text !== 'string') {
      this.#add(pointer, `${text === undefined ? 'is missing:' : 'must be'} a CEL expression`);
      return null;
    }
    const compiled = compileExpression(text, variables);
    if ('problem' in compiled) this.#add(pointer, compiled.problem);
    return text;
  }

  #threshold({ threshold }: Fields): number {
    if (threshold === undefined) return 1;
    if (typeof threshold === 'number' && threshold >= 0 && threshold <= 1) return threshold;
    this.#add('/threshold', 'must be a number from 0 to 1, such as 0.95; or leave it out');
    return 1;
  }

  /** A cohort that no scenario is in would protect nobody: most likely it is misspelt. */
  #protected(document: Fields, scenarios: readonly Scenario[]): readonly string[] {
    const value = document['protected'];
    if (value === undefined) return [];
    const cohorts = new Set(scenarios.map(({ cohort }) => cohort));
    const names = this.#texts('/protected', value, limits.maxProtected, 'cohorts', () => true);
    for (const [index, name] of names.entries()) {
      if (!cohorts.has(name)) this.#add(`/protected/${index}`, 'is the cohort of no scenario');
    }
    return names;
  }

  #scenarios({ scenarios }: Fields): readonly Scenario[] {
    const { maxScenarios } = limits;
    if (!isList(scenarios) || scenarios.length === 0 || scenarios.length > maxScenarios) {
      this.#add('/scenarios', `must be a list of 1 to ${maxScenarios} scenarios`);
      return [];
    }
    const names = new Set<string>();
    const parsed: Scenario[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      // Nobody reads on after so many.
      if (this.#findings.length >= limits.maxFindings) break;
      parsed.push(this.#scenario(`/scenarios/${index}`, scenario, names));
    }
    return parsed;
  }

  #scenario(at: string, scenario: Json, names: Set<string>): Scenario {
    const fields = isMapping(scenario) ? scenario : {};
    if (fields !== scenario) this.#add(at, `must be a mapping with ${scenarioFields}`);
    else this.#known(fields, at, scenarioFields);
    const { name, cohort = 'all', expected } = fields;
    const label = this.#label(`${at}/name`, name, limits.maxNameBytes);
    if (names.has(label) && label !== '') this.#add(`${at}/name`, 'is there twice; name each once');
    names.add(label);
    return {
      name: label,
      cohort: this.#label(`${at}/cohort`, cohort, limits.maxCohortBytes),
      input: this.#input(`${at}/input`, fields['input']),
      recorded: this.#decision(`${at}/recorded`, fields['recorded']),
      expected: expected === undefined ? null : this.#decision(`${at}/expected`, expected),
    };
  }

  #label(pointer: string, text: Json | undefined, maxBytes: number): string {
    const problem = typeof text === 'string' ? labelProblem(text, maxBytes) : 'must be a text';
    if (typeof text === 'string' && problem === undefined) return text;
    this.#add(pointer, problem ?? '');
    return '';
  }

  #input(pointer: string, input: Json | undefined): Json {
    const { maxInputBytes } = limits;
    if (input === undefined || !isMapping(input)) {
      this.#add(pointer, 'must be a mapping of what the service saw');
    } else if (bytesOf(JSON.stringify(input)) > maxInputBytes) {
      this.#add(pointer, `has more than ${maxInputBytes / 1024} KiB as JSON; keep what decides`);
    }
    return input ?? null;
  }

  #decision(pointer: string, value: Json | undefined): Decidable {
    if (value === undefined || value === null || typeof value === 'object') {
      const problem = value === undefined ? 'is missing' : 'is no decision';
      this.#add(pointer, `${problem}: a text, a number or a boolean`);
      return '';
    }
    const problem = decisionProblem(value);
    if (problem !== undefined) this.#add(pointer, problem);
    return value;
  }

  #texts(
    pointer: string,
    value: Json | undefined,
    max: number,
    what: string,
    fits: (text: string) => boolean,
  ): readonly string[] {
    const texts = isList(value) ? value.filter((item) => typeof item === 'string') : [];
    const asked = isList(value) ? value.length : 0;
    if (!isList(value) ? value !== undefined : asked > max) {
      this.#add(pointer, `must be a list of at most ${max} ${what}`);
      return [];
    }
    if (texts.length < asked || !texts.every(fits) || new Set(texts).size < texts.length) {
      this.#add(pointer, `must be a list of ${what}, each a text and there once`);
    }
    return texts;
  }

  /** A misspelt `treshold` must not pass for none. */
  #known(fields: Fields, at: string, allowed: string): void {
    const known = new Set(allowed.split(/, | and /));
    for (const key of Object.keys(fields)) {
      if (known.has(key)) continue;
      this.#add(at, `has the unknown field "${key.slice(0, 60)}"; it may have ${allowed}`);
    }
  }

  #add(pointer: string, detail: string): void {
    if (this.#findings.length < limits.maxFindings) this.#findings.push({ pointer, detail });
  }

  #refusal(name: string): Unprocessable {
    const [first] = this.#findings;
    const where = `${first?.pointer ?? ''} ${first?.detail ?? ''}`.trim();
    const more = this.#findings.length > 1 ? ` (and ${this.#findings.length - 1} more)` : '';
    const message = `The suite "${name.slice(0, 100)}" is refused: ${where}${more}.`;
    return new Unprocessable('invalid_policy', message, this.#findings);
  }
}

/** Names are shown in tables and terminals, and bounded lists hold many of them. */
function labelProblem(text: string, maxBytes: number): string | undefined {
  if (text === '') return 'must not be empty';
  if (bytesOf(text) > maxBytes) return `is longer than ${maxBytes} bytes`;
  if (/[\p{C}\p{Zl}\p{Zp}"\\]/u.test(text)) {
    return 'holds a quote, a backslash or a control character';
  }
  return text.trim() === text ? undefined : 'begins or ends with a space';
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
