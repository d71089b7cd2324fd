import type { RecordKey, RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { digestName } from '../packages/digest.ts';
import { getRecords, type KeyOf } from '../records.ts';
import { Conflict } from '../errors/app-error.ts';
import type { Decision } from '../journal/commit.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { ChannelRecord, ChannelState, Lane, SnapshotRef } from './channel-record.ts';
import { refOf } from './move-channel.ts';
import { channelHeadKey, channelKey, summaryKey, timelineKey, waitingKey } from './policy-keys.ts';
import { type ChannelHead, maxWaiting, type PolicySummary } from './policy-summary.ts';
import { resolveRule } from './resolve-rule.ts';
import type { ChangedLane, TimelineEntry } from './timeline-entry.ts';

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
}

/** One round trip; one more record may ride along. */
export async function readLane<V = unknown>(
  deps: Pick<Deps, 'records'>,
  { tenant, id, channel }: Lane,
  also?: KeyOf<V>,
): Promise<LaneRecords & { readonly also: StoredRecord<V> | undefined }> {
  const [record, summary, head, more] = await getRecords(deps, [
    channelKey(tenant, id, channel),
    summaryKey(tenant, id),
    channelHeadKey(tenant, channel),
    ...(also === undefined ? [] : [also]),
  ]);
  return { channel: record, summary, head, also: more };
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
  const { lane, after } = change;
  const before = inForceBefore(change);
  const waiting = after.next?.digest === change.subject.digest ? after.next : null;
  const changed = changedLane(lane, change.subject, after.gen, waiting?.effectiveAtMs ?? null);
  return {
    kind: 'change',
    entry: {
      action: change.action,
      subject: lane.id,
      before,
      after: changed,
      reason: change.reason,
    },
    writes: (entry) => [
      ...laneWrites(change, entry.index, entry.at),
      timelineWrite(change, entry, changed, before),
      ...more,
    ],
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

function changedLane(
  { channel }: Lane,
  { snapshot, version, digest }: SnapshotRef,
  gen: number,
  effectiveAtMs: number | null,
): ChangedLane {
  const effectiveAt = effectiveAtMs === null ? null : new Date(effectiveAtMs).toISOString();
  return { channel, snapshot, version, digest: digestName(digest), gen, effectiveAt };
}

function laneWrites(change: Change, index: number, at: string): RecordWrite[] {
  const { lane, records, after } = change;
  const summary: PolicySummary = {
    id: lane.id,
    createdAt: records.summary?.value.createdAt ?? at,
    channels: { ...records.summary?.value.channels, [lane.channel]: stateOf(after) },
  };
  const head: ChannelHead = { index, waiting: waitingAfter(change) };
  return [
    put(channelKey(lane.tenant, lane.id, lane.channel), after, records.channel),
    put(summaryKey(lane.tenant, lane.id), summary, records.summary),
    put(channelHeadKey(lane.tenant, lane.channel), head, records.head),
    ...waitingWrites(change),
  ];
}

function timelineWrite(
  { lane, after }: Change,
  entry: JournalEntry,
  changed: ChangedLane,
  before: ChangedLane | null,
): RecordWrite {
  const { index, at, actor, action, requestId, reason } = entry;
  const who = { index, at, actor, action, requestId, reason };
  const value: TimelineEntry = { ...who, changed, before, state: stateOf(after) };
  const key = timelineKey(lane.tenant, lane.id, lane.channel, entry);
  return { kind: 'put', key, value, expect: 'absent' };
}

/** Keeps the list of rules that wait for their time in step with the channel. */
function waitingWrites({ lane, records, after }: Change): RecordWrite[] {
  const { tenant, id, channel } = lane;
  const was = records.channel?.value.next?.effectiveAtMs;
  const is = after.next?.effectiveAtMs;
  if (was === is) return [];
  const writes: RecordWrite[] = [];
  if (was !== undefined) {
    writes.push({ kind: 'delete', key: waitingKey(tenant, id, channel, was), expect: 1 });
  }
  if (is !== undefined) {
    const key = waitingKey(tenant, id, channel, is);
    writes.push({ kind: 'put', key, value: lane, expect: 'absent' });
  }
  return writes;
}

function waitingAfter({ lane, records, after }: Change): ChannelHead['waiting'] {
  const { [lane.id]: _, ...others } = records.head?.value.waiting ?? {};
  if (after.next === null) return others;
  if (Object.keys(others).length >= maxWaiting) {
    throw new Conflict(`${maxWaiting} rules wait for their time in ${lane.channel} already.`);
  }
  return { ...others, [lane.id]: after.next.effectiveAtMs };
}

function put(key: RecordKey, value: unknown, read: StoredRecord<unknown> | undefined): RecordWrite {
  return { kind: 'put', key, value, expect: read?.rev ?? 'absent' };
}

function stateOf({ gen, current, next }: ChannelRecord): ChannelState {
  return {
    gen,
    current: current === null ? null : refOf(current),
    next: next === null ? null : { ...refOf(next), effectiveAtMs: next.effectiveAtMs },
  };
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
