import type { Deps } from '../deps.ts';
import { Conflict, NotFound, Unprocessable } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { ChannelRecord, Lane, PlacedRule } from './channel-record.ts';
import { findSnapshot } from './find-snapshot.ts';
import { placeSnapshot } from './read-rule.ts';
import { dropWaiting, restoreRule, settle } from './move-channel.ts';
import { type LaneRecords, type Movement, moveLane, readLane, unmoved } from './movement.ts';
import { requireInForce, type SnapshotGuard } from './snapshot-guard.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

export interface Rollback {
  readonly lane: Lane;
  /** A name as `findSnapshot` takes it; null for the rule before. */
  readonly snapshot: string | null;
  readonly guard: SnapshotGuard | null;
  readonly reason: string | null;
}

type RollbackDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

/**
 * Puts an earlier rule back in force, at once. Without a name: the one before, or, while a rule
 * waits for its time, the one in force; rolling back again goes further back, never forth.
 */
export async function rollbackPolicy(
  deps: RollbackDeps,
  origin: Origin,
  rollback: Rollback,
): Promise<Movement> {
  return commit(deps, origin, () => decide(deps, rollback));
}

async function decide(deps: RollbackDeps, rollback: Rollback): Promise<Decision<Movement>> {
  const { lane, guard } = rollback;
  const records = await readLane(deps, lane);
  const nowMs = deps.clock.nowMs();
  const held = records.channel?.value;
  if (held === undefined) {
    throw new NotFound(`There is no policy "${lane.id}" in ${lane.channel}.`);
  }
  requireInForce(guard, held, nowMs);
  const record = settle(held, nowMs);
  const name = rollback.snapshot ?? nameOfEarlier(record, lane);
  const target = await findSnapshot(deps, lane.tenant, lane.id, name);
  requireEffective(target, nowMs);
  if (record.current?.digest === target.digest && record.next === null) {
    return unmoved(lane, record, record.current, nowMs);
  }
  const rule = await placeSnapshot(deps, lane.tenant, lane.id, target);
  return restore(rollback, records, record, rule, nowMs);
}

/** What a rollback without a name goes to. */
function nameOfEarlier(record: ChannelRecord, lane: Lane): string {
  const target = record.next === null ? record.earlier[0] : record.current;
  if (target !== undefined && target !== null) return target.snapshot;
  throw new Conflict(
    `No rule was in force in ${lane.channel} before this one. Name a snapshot to go to.`,
    'nothing_to_roll_back_to',
  );
}

function requireEffective(target: SnapshotRecord, nowMs: number): void {
  if (target.effectiveAt === null || Date.parse(target.effectiveAt) <= nowMs) return;
  throw new Unprocessable(
    'not_yet_effective',
    `${target.snapshot} takes effect at ${target.effectiveAt}: publish or promote it instead.`,
  );
}

function restore(
  { lane, reason }: Rollback,
  records: LaneRecords,
  record: ChannelRecord,
  rule: PlacedRule,
  nowMs: number,
): Decision<Movement> {
  const after =
    record.current?.digest === rule.digest ? dropWaiting(record) : restoreRule(record, rule, nowMs);
  return moveLane({
    lane,
    records,
    after,
    subject: rule,
    action: 'policy.rolledback',
    status: 'rolledback',
    reason,
    nowMs,
  });
}
