import type { CelValue } from '@bufbuild/cel';
import { simulationLimits } from './simulation-limits.ts';
import type { Decidable } from './suite.ts';

const { maxDecisionBytes } = simulationLimits;

/** What stands for the decision where an expression fails. */
export const failedDecision = 'error';

/** A decision as CEL has it, as JSON has it; undefined for what is none. */
export function decidableOf(value: CelValue): Decidable | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/**
 * The canonical text of a decision, by which decisions are compared: a text as it is, `true`, and
 * a number as the shortest that reads back as the same (ECMA-262), whether written `25` or `25.0`.
 */
export function decisionText(decision: Decidable): string {
  return String(decision);
}

/** What is wrong with a text as a decision, and what to do. */
export function decisionProblem(decision: Decidable): string | undefined {
  const text = decisionText(decision);
  if (/\p{C}/u.test(text)) return 'holds a control character; write plain text';
  const bytes = new TextEncoder().encode(JSON.stringify(text)).byteLength - 2;
  return bytes > maxDecisionBytes
    ? `is longer than ${maxDecisionBytes} bytes; shorten it`
    : undefined;
}
