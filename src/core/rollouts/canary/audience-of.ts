import type { CanaryPlan } from '../../policies/canary-plan.ts';
import type { CanaryAudience } from '../../policies/canary.ts';

/** Whom a plan means, with the salt of its run. */
export function audienceOf({ percent, scope }: CanaryPlan, salt: string): CanaryAudience {
  const region = scope === null ? null : scope.slice('region:'.length);
  return { weight: Math.max(1, Math.round(percent * 100)), salt, region };
}
