import type { Canary } from './canary.ts';
import type { ChannelRecord, PlacedRule, SnapshotRef } from './channel-record.ts';

/**
 * What becomes of a channel: pure functions from one record to the next. Each raises `gen`, but
 * the renewal of a lease; all but that and the start of a canary end a canary.
 */

const emptyChannel: ChannelRecord = { gen: 0, current: null, next: null, earlier: [] };
const maxEarlier = 10;

/**
 * Puts a rule in force, or lets it wait until `effectiveAtMs`. The last word wins: what waited
 * until now is dropped.
 */
export function placeRule(
  record: ChannelRecord | undefined,
  rule: PlacedRule,
  effectiveAtMs: number | null,
  nowMs: number,
): ChannelRecord {
  const { gen, current, earlier } = settle(record ?? emptyChannel, nowMs);
  if (effectiveAtMs !== null && effectiveAtMs > nowMs) {
    return { gen: gen + 1, current, next: { ...rule, effectiveAtMs }, earlier };
  }
  return { gen: gen + 1, current: rule, next: null, earlier: push(earlier, current, rule) };
}

/** Goes back to a rule. What lay between it and now is no longer a place to go back to. */
export function restoreRule(record: ChannelRecord, rule: PlacedRule, nowMs: number): ChannelRecord {
  const { gen, earlier } = settle(record, nowMs);
  const position = earlier.findIndex((ref) => ref.digest === rule.digest);
  return {
    gen: gen + 1,
    current: rule,
    next: null,
    earlier: position === -1 ? earlier : earlier.slice(position + 1),
  };
}

/** Drops the rule that waits; what is in force stays. */
export function dropWaiting(record: ChannelRecord): ChannelRecord {
  return { ...endCanary(record), next: null };
}

/** Gives a candidate to its audience. What is in force, and what waits, stays for all others. */
export function startCanary(
  record: ChannelRecord | undefined,
  canary: Canary<PlacedRule>,
  nowMs: number,
): ChannelRecord {
  const settled = settle(record ?? emptyChannel, nowMs);
  return { ...settled, gen: settled.gen + 1, canary };
}

export function renewLease(
  record: ChannelRecord,
  canary: Canary<PlacedRule>,
  leaseUntilMs: number,
): ChannelRecord {
  return { ...record, canary: { ...canary, leaseUntilMs } };
}

/** Everyone is on the rule in force again: a higher `gen` with the old digest. */
export function endCanary({ canary: _, ...record }: ChannelRecord): ChannelRecord {
  return { ...record, gen: record.gen + 1 };
}

/** Makes the rule whose time has come the current one, for good. */
export function activateRule(record: ChannelRecord, nowMs: number): ChannelRecord {
  return { ...settle(record, nowMs), gen: record.gen + 1 };
}

/** The record as a reader sees it now: a rule whose time has come is the current one. */
export function settle(record: ChannelRecord, nowMs: number): ChannelRecord {
  const { next } = record;
  if (next === null || next.effectiveAtMs > nowMs) return record;
  const { effectiveAtMs: _, ...rule } = next;
  const earlier = push(record.earlier, record.current, rule);
  return { ...record, current: rule, next: null, earlier };
}

function push(
  earlier: readonly SnapshotRef[],
  left: SnapshotRef | null,
  entered: SnapshotRef,
): readonly SnapshotRef[] {
  // A rule that comes again in place of one that waited: to go back to it would go nowhere.
  if (left === null || left.digest === entered.digest) return earlier;
  return [refOf(left), ...earlier].slice(0, maxEarlier);
}

export function refOf({ snapshot, version, digest }: SnapshotRef): SnapshotRef {
  return { snapshot, version, digest };
}
