import { setImmediate } from 'node:timers/promises';
import { celMap, type CelMap, type CelValue } from '@bufbuild/cel';
import type { Json } from '../../values/json.ts';
import type { BatchResult } from './batch-result.ts';
import { celValueOf } from '../../expressions/cel-value.ts';
import { compileExpression, type Expression } from '../../expressions/compile-expression.ts';
import { decidableOf, decisionProblem, decisionText, failedDecision } from './decision-text.ts';
import type { Batch } from './plan-batches.ts';
import {
  type Decidable,
  decisionVariables,
  expectVariables,
  type Scenario,
  type Suite,
} from './suite.ts';
import { Tally } from './tally.ts';

/**
 * A policy of a suite, as it is and as it would be. One that the run leaves alone has its rule in
 * force on both sides; one that has no rule at all is left out.
 */
export interface RuleChange {
  readonly id: string;
  /** The rule in force as JSON; null when there is none yet. */
  readonly before: Json | null;
  readonly after: Json;
}

/** The rules of one side, as the variables of an expression. */
interface Rules {
  readonly policies: CelMap;
  readonly policy?: CelValue;
}

/** Null: it is not known, since there is no rule. */
interface Sides {
  readonly before: Rules | null;
  readonly after: Rules;
}

/** `value` is `error` when the expression failed, and `error` says why. */
interface Decision {
  readonly value: Decidable;
  readonly error: string | null;
}

/**
 * Decides each scenario of a range as it was recorded, under the rules in force, and under the
 * candidates; and judges each by what the suite expects. The same answer every time: it depends
 * on its arguments alone. Yields to others after each scenario, which takes at most 300 000 steps.
 */
export async function replayBatch(
  suite: Suite,
  { from, to }: Pick<Batch, 'from' | 'to'>,
  changes: readonly RuleChange[],
): Promise<BatchResult> {
  const replay = new Replay(suite, changes);
  for (const scenario of suite.scenarios.slice(from, to)) {
    replay.add(scenario);
    await setImmediate();
  }
  return { suite: suite.name, from, to, ...replay.tally.counts() };
}

class Replay {
  readonly tally = new Tally();
  readonly #decision: Expression;
  readonly #expect: Expression | null;
  readonly #sides: Sides;
  readonly #protected: ReadonlySet<string>;

  constructor(suite: Suite, changes: readonly RuleChange[]) {
    this.#decision = compiled(suite.decision, decisionVariables);
    this.#expect = suite.expect === null ? null : compiled(suite.expect, expectVariables);
    this.#sides = sidesOf(suite, changes);
    this.#protected = new Set(suite.protected);
  }

  add(scenario: Scenario): void {
    const { name, cohort, recorded } = scenario;
    const input = celValueOf(scenario.input);
    const before = this.#before(recorded, input);
    const after = this.#decide(this.#sides.after, input);
    this.#noteFlip(name, cohort, decisionText(before.value), decisionText(after.value));
    const obstacle = obstacleOf(recorded, before);
    if (obstacle !== null) {
      this.tally.notReplayed({ scenario: name, why: obstacle });
      return;
    }
    const lack = this.#lack(scenario, { before, after, input });
    this.tally.replayedOne(lack === null);
    if (lack !== null) this.tally.notAdapted({ scenario: name, why: lack });
  }

  #before(recorded: Decidable, input: CelValue): Decision {
    const { before } = this.#sides;
    return before === null ? { value: recorded, error: null } : this.#decide(before, input);
  }

  #decide(rules: Rules, input: CelValue): Decision {
    const evaluated = this.#decision.evaluate({ ...rules, input });
    if ('error' in evaluated) return failed(evaluated.error);
    const value = decidableOf(evaluated.value);
    if (value === undefined) return failed('decides neither a text nor a number nor a boolean');
    const problem = decisionProblem(value);
    return problem === undefined ? { value, error: null } : failed(`the decision ${problem}`);
  }

  #noteFlip(scenario: string, cohort: string, from: string, to: string): void {
    if (from === to) return;
    this.tally.flipped({ cohort, from, to, count: 1, scenarios: [scenario] });
    if (!this.#protected.has(cohort)) return;
    this.tally.flippedProtected({ scenario, why: `${cohort}: ${from} → ${to}` });
  }

  /** Why the candidate does not serve a scenario as expected; null when it does. */
  #lack(
    { expected, recorded }: Scenario,
    { before, after, input }: { before: Decision; after: Decision; input: CelValue },
  ): string | null {
    if (after.error !== null) return `${failedDecision}: ${after.error}`;
    const decided = decisionText(after.value);
    if (expected !== null) {
      const wanted = decisionText(expected);
      return decided === wanted ? null : `decides ${decided}, expected ${wanted}`;
    }
    if (this.#expect === null) return null;
    const values = { before: before.value, after: after.value, recorded };
    const met = this.#expect.evaluate({ ...this.#sides.after, ...values, input });
    if ('error' in met) return `expect fails: ${met.error}`;
    return met.value === true ? null : `decides ${decided}, which expect does not accept`;
  }
}

function obstacleOf(recorded: Decidable, before: Decision): string | null {
  if (before.error !== null) return `the rule in force fails: ${before.error}`;
  const [then, now] = [decisionText(recorded), decisionText(before.value)];
  return then === now ? null : `recorded ${then}, but the rule in force decides ${now}`;
}

function failed(error: string): Decision {
  return { value: failedDecision, error };
}

/** A suite that was parsed has no others. */
function compiled(text: string, variables: readonly string[]): Expression {
  const result = compileExpression(text, variables);
  if ('problem' in result) throw new Error(`The expression ${text} ${result.problem}.`);
  return result.expression;
}

function sidesOf({ policies }: Suite, changes: readonly RuleChange[]): Sides {
  const own = policies.flatMap((id) => changes.find((change) => change.id === id) ?? []);
  const subject = own.find(({ before, after }) => differ(before, after)) ?? own[0];
  const side = (ruleOf: (change: RuleChange) => Json): Rules => {
    const rules = new Map(own.map((change) => [change.id, celValueOf(ruleOf(change))]));
    const policy = rules.get(subject?.id ?? '');
    return { policies: celMap(rules), ...(policy === undefined ? {} : { policy }) };
  };
  return {
    before: own.some(({ before }) => before === null) ? null : side(({ before }) => before),
    after: side(({ after }) => after),
  };
}

function differ(before: Json, after: Json): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}
