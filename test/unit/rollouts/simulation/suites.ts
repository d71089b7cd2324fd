import { parseSuite } from '../../../../src/core/rollouts/simulation/parse-suite.ts';
import type { RuleChange } from '../../../../src/core/rollouts/simulation/replay-batch.ts';
import type { Suite } from '../../../../src/core/rollouts/simulation/suite.ts';
import type { Json } from '../../../../src/core/values/json.ts';

export type Fields = Readonly<Record<string, Json>>;

export const policy = 'epa-pm25-limit';

/** The running story: PM2.5 from 35 to 25 µg/m³. */
export const tightened: RuleChange = {
  id: policy,
  before: { id: policy, version: '1.5.0', limit: 35 },
  after: { id: policy, version: '2.0.0', limit: 25 },
};

export const decision = 'input.pm25 > policy.limit ? "violation" : "compliant"';

/** A reading as the rule of 35 decided it, unless told otherwise. */
export function reading(name: string, pm25: number, fields: Fields = {}): Fields {
  return { name, input: { pm25 }, recorded: pm25 > 35 ? 'violation' : 'compliant', ...fields };
}

export function document(scenarios: readonly Fields[], fields: Fields = {}): Fields {
  return { policies: [policy], decision, scenarios, ...fields };
}

export function suiteOf(scenarios: readonly Fields[], fields: Fields = {}): Suite {
  return parseSuite('inspection-bots', document(scenarios, fields));
}
