import type { Reader } from './canary.ts';
import type { ChannelState, RuleRef } from './channel-record.ts';
import { inAudience } from './in-audience.ts';

/**
 * The rule in force at a time for everyone whom no canary serves: the one that waits once its time
 * has come, else the current one. Null before the first.
 */
export function resolveRule<T extends RuleRef>(state: ChannelState<T>, nowMs: number): T | null {
  const { current, next } = state;
  return next !== null && next.effectiveAtMs <= nowMs ? next : current;
}

/** What one reader is given. */
export interface Resolved<T extends RuleRef> {
  /** What the reader enforces; null before the first rule. */
  readonly rule: T | null;
  /** The run whose candidate `rule` is; null for the rule of everyone. */
  readonly canaryRun: number | null;
  /** A candidate to evaluate beside the rule, and not to enforce. */
  readonly shadow: T | null;
}

/**
 * The rule for one reader, or, for null, for everyone: a pure function of the record, the reader and
 * the clock. A canary whose lease is over is as good as none, though nobody has cleared it.
 */
export function resolveFor<T extends RuleRef>(
  state: ChannelState<T>,
  reader: Reader | null,
  nowMs: number,
): Resolved<T> {
  const rule = resolveRule(state, nowMs);
  const { canary } = state;
  const unserved = { rule, canaryRun: null, shadow: null };
  if (reader === null || canary === undefined || canary.leaseUntilMs <= nowMs) return unserved;
  if (!inAudience(canary, reader)) return unserved;
  if (canary.enforcedFromMs !== null && canary.enforcedFromMs > nowMs) {
    return { rule, canaryRun: null, shadow: canary.rule };
  }
  return { rule: canary.rule, canaryRun: canary.run, shadow: null };
}
