import type { ChannelState, SnapshotRef } from './channel-record.ts';

/**
 * The rule in force at a time, for a state as it was recorded: the one that waits once its time
 * has come, else the current one. Null before the first.
 */
export function resolveRule<T extends SnapshotRef>(
  state: ChannelState<T>,
  nowMs: number,
): T | null {
  const { current, next } = state;
  return next !== null && next.effectiveAtMs <= nowMs ? next : current;
}
