import type { Deps } from '../deps.ts';
import { Conflict, NotFound, Unprocessable } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { ChannelRecord, Lane, PlacedRule } from './channel-record.ts';
import { defaultSettings } from './channel-settings.ts';
import { findSnapshot } from './find-snapshot.ts';
import { placeSnapshot } from './read-rule.ts';
import { dropWaiting, restoreRule, settle } from './move-channel.ts';
import { type LaneRecords, type Movement, moveLane, readLane, unmoved } from './movement.ts';
import { queryRecords } from '../records.ts';
import { policyPartition, timelinePrefix } from './policy-keys.ts';
import type { TimelineEntry } from './timeline-entry.ts';
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
 * Puts an earlier rule back in force, at once and whatever holds the lane; a canary ends with it.
 * Without a name: the one before, or, while a rule waits for its time or is tried on a few, the
 * one in force; rolling back again goes further back, never forth.
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
  if (record.current?.digest === target.digest && !hasCandidate(record)) {
    return unmoved(lane, record, record.current, nowMs);
  }
  await requireKnownInChannel(deps, lane, records, record, target);
  const rule = await placeSnapshot(deps, lane.tenant, lane.id, target);
  return restore(rollback, records, record, rule, nowMs);
}

/** Changes of a channel that are looked through for a rule that was in force there. */
const maxLookedAt = 5000;
const lookPage = 500;

/**
 * Where rules come by rollouts only, going back must not be a way round them: to what was in
 * force there once, at any age, and to nothing else.
 */
async function requireKnownInChannel(
  deps: Pick<Deps, 'records'>,
  lane: Lane,
  { settings }: LaneRecords,
  { current, earlier }: ChannelRecord,
  { digest, snapshot }: SnapshotRecord,
): Promise<void> {
  const { staged, approvals } = settings?.value ?? defaultSettings;
  if (!staged && approvals === 0) return;
  if (current?.digest === digest || earlier.some((ref) => ref.digest === digest)) return;
  const partition = policyPartition(lane.tenant, lane.id);
  const prefix = timelinePrefix(lane.channel);
  let after: string | undefined;
  for (let looked = 0; looked < maxLookedAt; looked += lookPage) {
    const query = { partition, prefix, after, order: 'desc', limit: lookPage } as const;
    const found = await queryRecords<TimelineEntry>(deps, query);
    if (found.some(({ value }) => value.state.current?.digest === digest)) return;
    if (found.length < lookPage) break;
    after = found.at(-1)?.key.sort;
  }
  throw new Conflict(
    `${snapshot} was never in force in ${lane.channel}, which takes new rules by rollouts only: start a run.`,
    'rollout_required',
  );
}

/** What a rollback without a name goes to. */
function nameOfEarlier(record: ChannelRecord, lane: Lane): string {
  const target = hasCandidate(record) ? record.current : record.earlier[0];
  if (target !== undefined && target !== null) return target.snapshot;
  throw new Conflict(
    `No rule was in force in ${lane.channel} before this one. Name a snapshot to go to.`,
    'nothing_to_roll_back_to',
  );
}

/** Whether something newer than the rule in force waits or is tried. */
function hasCandidate({ next, canary }: ChannelRecord): boolean {
  return next !== null || canary !== undefined;
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
