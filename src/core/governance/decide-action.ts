import type { CelInput } from '@bufbuild/cel';
import { StepBudget } from '../expressions/step-budget.ts';
import { governanceLimits } from './governance-limits.ts';
import type { actionVariables, GovernanceDocument, GovernanceRule } from './governance-rule.ts';

const { maxVetSteps } = governanceLimits;

/** A policy whose rules are asked. */
export interface AskedPolicy {
  readonly policy: string;
  readonly document: GovernanceDocument;
}

/** What the rules know of an action. */
export type ActionVariables = Readonly<Record<(typeof actionVariables)[number], CelInput>>;

/** Why an action is denied. */
export interface Denial {
  /** `<policy>/<rule>`; the policy alone when no one rule of it is why. */
  readonly rule: string;
  /** For the caller: what the author of the rule wrote, else what happened. */
  readonly reason: string;
}

/**
 * The first denial, or null when every policy allows the action. In a policy,
 *
 * 1. a `deny` rule that is true denies;
 * 2. else, with `allow` rules, one of them must be true;
 * 3. else its default decides.
 *
 * A rule that fails, or answers something else than true or false, denies; it makes no difference
 * where in the list it stands. All rules together share one budget, and one that overdraws it
 * fails.
 */
export function decideAction(
  asked: readonly AskedPolicy[],
  variables: ActionVariables,
): Denial | null {
  const budget = new StepBudget(maxVetSteps);
  for (const { policy, document } of asked) {
    const denial = new Asking(policy, document, variables, budget).denial();
    if (denial !== null) return denial;
  }
  return null;
}

class Asking {
  readonly #policy: string;
  readonly #document: GovernanceDocument;
  readonly #variables: ActionVariables;
  readonly #budget: StepBudget;

  constructor(
    policy: string,
    document: GovernanceDocument,
    variables: ActionVariables,
    budget: StepBudget,
  ) {
    this.#policy = policy;
    this.#document = document;
    this.#variables = variables;
    this.#budget = budget;
  }

  denial(): Denial | null {
    const { rules } = this.#document;
    const denies = rules.filter(({ effect }) => effect === 'deny');
    const allows = rules.filter(({ effect }) => effect === 'allow');
    for (const rule of denies) {
      const said = this.#ask(rule);
      if (typeof said !== 'boolean') return said;
      if (said) return this.#because(rule, rule.message ?? `${this.#name(rule)} denies it.`);
    }
    if (allows.length > 0) return this.#unlessAllowed(allows);
    if (this.#document.default === 'allow') return null;
    const reason = `No rule of ${this.#policy} allows it, and its default is to deny.`;
    return { rule: this.#policy, reason };
  }

  /** All are asked, also after one that is true: else a rule that fails would pass for later ones. */
  #unlessAllowed(allows: readonly GovernanceRule[]): Denial | null {
    let allowed = false;
    for (const rule of allows) {
      const said = this.#ask(rule);
      if (typeof said !== 'boolean') return said;
      allowed ||= said;
    }
    if (allowed) return null;
    const [only, ...others] = allows;
    const messages = new Set(allows.flatMap(({ message }) => message ?? []));
    const reason = [...messages].join(' ') || `No rule of ${this.#policy} allows it.`;
    if (only !== undefined && others.length === 0) return this.#because(only, reason);
    return { rule: this.#policy, reason };
  }

  #ask(rule: GovernanceRule): boolean | Denial {
    const said = rule.when.evaluate(this.#variables, this.#budget);
    if ('error' in said) return this.#failed(rule, said.error);
    if (typeof said.value === 'boolean') return said.value;
    return this.#failed(rule, 'answers neither true nor false');
  }

  #failed(rule: GovernanceRule, error: string): Denial {
    return this.#because(rule, `${this.#name(rule)} cannot be asked, so it denies: ${error}.`);
  }

  #because({ name }: GovernanceRule, reason: string): Denial {
    return { rule: `${this.#policy}/${name}`, reason };
  }

  #name({ name }: GovernanceRule): string {
    return `The rule ${name} of ${this.#policy}`;
  }
}
