import type { ChannelRecord } from '../policies/channel-record.ts';
import { resolveRule } from '../policies/resolve-rule.ts';
import type { Arm } from './alert-record.ts';

/** What a snapshot is in a channel at a time: the rule of which arm, and of which run. */
export interface Sorted {
  /** Null: of neither, such as the candidate of a canary that is over. */
  readonly arm: Arm | null;
  /** The run whose canary is on; null when none is, or when the snapshot is of neither arm. */
  readonly run: number | null;
}

/**
 * `canary`: the candidate, while the lease lasts. `stable`: the rule in force, or one of the last
 * ten before it, which a slow service may still run. A candidate that failed is neither: were its
 * alerts the stable arm's, the next run of it would show nothing new.
 */
export function armOf(record: ChannelRecord, snapshot: string, nowMs: number): Sorted {
  const live =
    record.canary !== undefined && record.canary.leaseUntilMs > nowMs ? record.canary : null;
  if (live?.rule.snapshot === snapshot) return { arm: 'canary', run: live.run };
  const stable = [resolveRule(record, nowMs), record.current, ...record.earlier];
  if (!stable.some((rule) => rule?.snapshot === snapshot)) return { arm: null, run: null };
  return { arm: 'stable', run: live?.run ?? null };
}
