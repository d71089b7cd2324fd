import type { Deps } from '../core/deps.ts';
import type { Vet } from '../core/jobs/run-attempt.ts';

/**
 * Asks the governance rules in force; without any, everything is as `defaultVerdict` says. What
 * compiles their expressions is loaded by the first who asks.
 */
export function governanceVet(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock'>,
  defaultVerdict: 'allow' | 'deny',
): Vet {
  let loading: Promise<Vet> | undefined;
  return async (asked) => (await (loading ??= load(deps, defaultVerdict)))(asked);
}

async function load(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock'>,
  defaultVerdict: 'allow' | 'deny',
): Promise<Vet> {
  const [{ GovernanceCache }, { vetAction }] = await Promise.all([
    import('../core/governance/governance-cache.ts'),
    import('../core/governance/vet-action.ts'),
  ]);
  const asking = { ...deps, governance: new GovernanceCache() };
  return async (asked) => vetAction(asking, { ...asked, defaultVerdict });
}
