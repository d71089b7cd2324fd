import type { Expression } from '../expressions/compile-expression.ts';
import type { Json } from '../values/json.ts';

export type Effect = 'allow' | 'deny';

/** One rule: what becomes of an action for which its expression is true. */
export interface GovernanceRule {
  /** Unique in its policy. */
  readonly name: string;
  readonly effect: Effect;
  /** CEL over `actionVariables`; true where the rule speaks. */
  readonly when: Expression;
  /** What the caller is told when the rule is why the action is denied; null: that it was. */
  readonly message: string | null;
}

/** The rules of a policy of the kind `governance`. Checked: they compile. */
export interface GovernanceDocument {
  /** In their order. */
  readonly rules: readonly GovernanceRule[];
  /** What becomes of an action of which no rule speaks. */
  readonly default: Effect;
}

export const actionVariables = ['actor', 'action', 'payload', 'now'] as const;

/** The kind of a policy that holds governance rules. */
export const governanceKind = 'governance';

/** The policy whose rules are asked about every action. */
export const generalPolicy = 'governance';

/** Beginning of the id of a policy whose rules are asked about one action. */
export const actionPrefix = 'governance.';

/** Whether a policy is one of those whose rules are asked. */
export function isAsked(policyId: string): boolean {
  return policyId === generalPolicy || policyId.startsWith(actionPrefix);
}

/** Whether a policy must hold sound governance rules: it says so, or is asked for them. */
export function holdsGovernance(policyId: string, document: Json): boolean {
  if (isAsked(policyId)) return true;
  if (typeof document !== 'object' || document === null || !('kind' in document)) return false;
  return document.kind === governanceKind;
}
