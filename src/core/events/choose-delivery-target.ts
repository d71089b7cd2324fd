import { judgeService } from '../registry/judge-health.ts';
import type { ServiceHealth } from '../registry/service-health.ts';
import { type ServiceManifest, type ServiceTarget, targetsOf } from '../registry/service-record.ts';

/** Where a delivery goes, or why nowhere. */
type DeliveryTarget = ServiceTarget | { readonly reason: string };

/**
 * One of the primary targets that are up, another one for each `turn`; the secondary while none of
 * them is; nowhere while all of the service is red.
 */
export function chooseDeliveryTarget(
  manifest: ServiceManifest,
  recorded: ServiceHealth | undefined,
  turn: number,
  nowMs: number,
): DeliveryTarget {
  const { targets, reason } = judgeService(manifest, recorded, new Map(), nowMs);
  const up = targetsOf(manifest).filter((_, place) => targets[place]?.up === true);
  const primary = up.filter(({ role }) => role === 'primary');
  const candidates = primary.length > 0 ? primary : up;
  return candidates[turn % Math.max(1, candidates.length)] ?? { reason };
}
