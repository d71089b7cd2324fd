import { expressionLimits } from './expression-limits.ts';

/** What evaluating may cost: one expression, or several that share it. */
export class StepBudget {
  readonly maxSteps: number;
  /** Below 0: it is overdrawn, and stays so. */
  left: number;

  constructor(maxSteps: number = expressionLimits.maxSteps) {
    this.maxSteps = maxSteps;
    this.left = maxSteps;
  }
}
