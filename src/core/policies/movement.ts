import type { RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { digestName } from '../packages/digest.ts';
import { getRecords, type KeyOf } from '../records.ts';
import type { Decision } from '../journal/commit.ts';
import type { ChannelRecord, Lane, SnapshotRef } from './channel-record.ts';
import type { ChannelSettings } from './channel-settings.ts';
import { type LaneChange, laneChangeWrites } from './lane-writes.ts';
import { channelHeadKey, channelKey, channelSettingsKey, summaryKey } from './policy-keys.ts';
import type { ChannelHead, PolicySummary } from './policy-summary.ts';
import { resolveRule } from './resolve-rule.ts';
import type { ChangedLane } from './timeline-entry.ts';

/** What a change of a channel answers. */
export interface Movement extends ChangedLane {
  readonly id: string;
  readonly status: 'stored' | 'promoted' | 'rolledback' | 'unchanged';
  /** The snapshot in force until now. */
  readonly before: string | null;
  /** The journal entry; null when nothing changed. */
  readonly index: number | null;
}

export type PolicyAction =
  | 'policy.published'
  | 'policy.promoted'
  | 'policy.rolledback'
  | 'policy.activated';

/** The records that a change of a lane rests on, as read. */
export interface LaneRecords {
  readonly channel: StoredRecord<ChannelRecord> | undefined;
  readonly summary: StoredRecord<PolicySummary> | undefined;
  readonly head: StoredRecord<ChannelHead> | undefined;
  readonly settings: StoredRecord<ChannelSettings> | undefined;
}

/** One round trip; one more record may ride along. */
export async function readLane<V = unknown>(
  deps: Pick<Deps, 'records'>,
  { tenant, id, channel }: Lane,
  also?: KeyOf<V>,
): Promise<LaneRecords & { readonly also: StoredRecord<V> | undefined }> {
  const [record, summary, head, settings, more] = await getRecords(deps, [
    channelKey(tenant, id, channel),
    summaryKey(tenant, id),
    channelHeadKey(tenant, channel),
    channelSettingsKey(tenant, channel),
    ...(also === undefined ? [] : [also]),
  ]);
  return { channel: record, summary, head, settings, also: more };
}

export interface Change {
  readonly lane: Lane;
  readonly records: LaneRecords;
  readonly after: ChannelRecord;
  /** What the change is about: now in force, or waiting. */
  readonly subject: SnapshotRef;
  readonly action: PolicyAction;
  readonly status: Movement['status'];
  readonly reason: string | null;
  readonly nowMs: number;
}

/**
 * The decision that moves a lane: the channel record, its timeline, the policy's summary and the
 * channel's head, in one commit with `more`.
 */
export function moveLane(change: Change, more: readonly RecordWrite[] = []): Decision<Movement> {
  const { lane, records, after } = change;
  const before = inForceBefore(change);
  const waiting = after.next?.digest === change.subject.digest ? after.next : null;
  const changed = changedLane(lane, change.subject, after.gen, waiting?.effectiveAtMs ?? null);
  const moved: LaneChange = { id: lane.id, records, after, changed, before };
  return {
    kind: 'change',
    entry: {
      action: change.action,
      subject: lane.id,
      before,
      after: changed,
      reason: change.reason,
    },
    writes: (entry) => [...laneChangeWrites(lane, records.head, [moved], entry), ...more],
    result: (entry) => ({
      id: lane.id,
      ...changed,
      status: change.status,
      before: before?.snapshot ?? null,
      index: entry.index,
    }),
  };
}

function inForceBefore({ lane, records, action, nowMs }: Change): ChangedLane | null {
  const held = records.channel?.value;
  if (held === undefined) return null;
  // Of an activation: readers have had the rule since its time came; before it is before that.
  const rule = action === 'policy.activated' ? held.current : resolveRule(held, nowMs);
  if (rule === null) return null;
  return changedLane(lane, rule, held.gen, null);
}

export function changedLane(
  { channel }: Pick<Lane, 'channel'>,
  { snapshot, version, digest }: SnapshotRef,
  gen: number,
  effectiveAtMs: number | null,
): ChangedLane {
  const effectiveAt = effectiveAtMs === null ? null : new Date(effectiveAtMs).toISOString();
  return { channel, snapshot, version, digest: digestName(digest), gen, effectiveAt };
}

/** The answer to a call that asks for what is so already. */
export function unmoved(
  lane: Lane,
  record: ChannelRecord,
  rule: SnapshotRef,
  nowMs: number,
): Decision<Movement> {
  const { next } = record;
  const waits = next !== null && next.digest === rule.digest && next.effectiveAtMs > nowMs;
  return {
    kind: 'unchanged',
    result: {
      id: lane.id,
      ...changedLane(lane, rule, record.gen, waits ? next.effectiveAtMs : null),
      status: 'unchanged',
      before: resolveRule(record, nowMs)?.snapshot ?? null,
      index: null,
    },
  };
}
