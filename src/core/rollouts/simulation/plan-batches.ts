import { Unprocessable } from '../../errors/app-error.ts';
import { simulationLimits } from './simulation-limits.ts';
import type { SuiteGate } from './suite.ts';

/** Some scenarios of a suite: those from index `from` to before `to`. */
export interface Batch {
  /** The suite's name. */
  readonly suite: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts suites into batches of at most 500 scenarios, at most 200 of them: every scenario in
 * exactly one. No suite, no batch. Errors: `Unprocessable` when there are too many scenarios.
 */
export function planBatches(suites: readonly Pick<SuiteGate, 'name' | 'size'>[]): Batch[] {
  const { maxBatchScenarios, maxBatches } = simulationLimits;
  const batches: Batch[] = [];
  for (const { name, size } of suites) {
    for (let from = 0; from < size; from += maxBatchScenarios) {
      batches.push({ suite: name, from, to: Math.min(size, from + maxBatchScenarios) });
    }
  }
  if (batches.length <= maxBatches) return batches;
  const total = suites.reduce((sum, { size }) => sum + size, 0);
  const detail = `has ${total} scenarios in ${batches.length} batches of ${maxBatchScenarios}; at most ${maxBatches} are replayed: register fewer or smaller suites`;
  throw new Unprocessable('invalid_policy', `The simulation ${detail}.`, [{ pointer: '', detail }]);
}
