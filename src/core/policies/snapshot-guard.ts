import { PreconditionFailed } from '../errors/app-error.ts';
import type { ChannelRecord } from './channel-record.ts';
import { resolveRule } from './resolve-rule.ts';

/** Which snapshots the caller takes to be in force: any one of these, or any at all. */
export type SnapshotGuard = 'any' | readonly string[];

/** Refuses a change that was decided on another rule than the one in force. */
export function requireInForce(
  guard: SnapshotGuard | null,
  record: ChannelRecord | undefined,
  nowMs: number,
): void {
  if (guard === null) return;
  const inForce = record === undefined ? null : resolveRule(record, nowMs);
  if (inForce !== null && (guard === 'any' || guard.includes(inForce.snapshot))) return;
  throw new PreconditionFailed(
    inForce === null
      ? 'No rule is in force in this channel.'
      : `The snapshot in force is ${inForce.snapshot}. Look at it, then repeat with its ETag.`,
  );
}
