import { blackoutAt } from './blackout.ts';
import { defaultSettings } from './channel-settings.ts';
import type { LaneRecords } from './movement.ts';

/**
 * Why a new rule cannot go straight into force: the channel takes rules by rollouts only, a canary
 * has the lane, or it is no time for it. Going back is never held.
 */
export interface ForwardHold {
  readonly status: 'held';
  readonly by: 'staged' | 'canary' | 'blackout';
}

export const heldForRollout: ForwardHold = { status: 'held', by: 'staged' };

export function forwardHold(records: LaneRecords, nowMs: number): ForwardHold | null {
  const { staged, approvals, blackouts } = records.settings?.value ?? defaultSettings;
  // Nobody could approve what goes straight into force.
  if (staged || approvals > 0) return heldForRollout;
  // Whether its lease lasts or not: whoever closes the run lets go of the lane.
  if (records.channel?.value.canary !== undefined) return { status: 'held', by: 'canary' };
  return blackoutAt(blackouts, nowMs) === null ? null : { status: 'held', by: 'blackout' };
}
