import type { RecordKey, RecordWrite, StoredRecord } from '../../ports/record-store.ts';
import { Conflict } from '../errors/app-error.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Canary } from './canary.ts';
import type { Channel } from './channel.ts';
import type { ChannelRecord, ChannelState, PlacedRule, RuleRef } from './channel-record.ts';
import { refOf } from './move-channel.ts';
import { channelHeadKey, channelKey, summaryKey, timelineKey, waitingKey } from './policy-keys.ts';
import {
  type CanaryTerms,
  type ChannelHead,
  maxWaiting,
  type PolicySummary,
} from './policy-summary.ts';
import type { ChangedLane, TimelineEntry } from './timeline-entry.ts';

/** What one commit makes of one policy in a channel. */
export interface LaneChange {
  readonly id: string;
  readonly records: {
    readonly channel: StoredRecord<ChannelRecord> | undefined;
    readonly summary: StoredRecord<PolicySummary> | undefined;
  };
  readonly after: ChannelRecord;
  readonly changed: ChangedLane;
  readonly before: ChangedLane | null;
}

type Place = { readonly tenant: string; readonly channel: Channel };
type Head = StoredRecord<ChannelHead> | undefined;

/** The writes that move policies of one channel together: 4 to 6 for each, and one. */
export function laneChangeWrites(
  place: Place,
  head: Head,
  changes: readonly LaneChange[],
  entry: JournalEntry,
): RecordWrite[] {
  return [
    headWrite(place, head, changes, entry.index),
    ...changes.flatMap((change) => [
      ...stateWrites(place, change, entry.at),
      timelineWrite(place, change, entry),
      ...waitingWrites(place, change),
    ]),
  ];
}

/** The writes that renew leases: states as they were, but for that. The journal is silent on it. */
export function leaseWrites(
  place: Place,
  head: StoredRecord<ChannelHead>,
  changes: readonly Pick<LaneChange, 'id' | 'records' | 'after'>[],
): RecordWrite[] {
  return [
    headWrite(place, head, changes, head.value.index),
    // The time is for a policy that is new: these are not.
    ...changes.flatMap((change) => stateWrites(place, change, '')),
  ];
}

function headWrite(
  { tenant, channel }: Place,
  head: Head,
  changes: readonly Pick<LaneChange, 'id' | 'after'>[],
  index: number,
): RecordWrite {
  const waiting = { ...head?.value.waiting };
  const canaries = { ...head?.value.canaries };
  for (const { id, after } of changes) {
    if (after.next === null) delete waiting[id];
    else waiting[id] = after.next.effectiveAtMs;
    if (after.canary === undefined) delete canaries[id];
    else canaries[id] = termsOf(after.canary);
  }
  if (Object.keys(waiting).length > maxWaiting) {
    throw new Conflict(`${maxWaiting} rules wait for their time in ${channel} already.`);
  }
  const tried = Object.keys(canaries).length === 0 ? {} : { canaries };
  const value: ChannelHead = { index, waiting, ...tried };
  return put(channelHeadKey(tenant, channel), value, head);
}

function stateWrites(
  { tenant, channel }: Place,
  { id, records, after }: Pick<LaneChange, 'id' | 'records' | 'after'>,
  at: string,
): RecordWrite[] {
  const summary: PolicySummary = {
    id,
    createdAt: records.summary?.value.createdAt ?? at,
    channels: { ...records.summary?.value.channels, [channel]: stateOf(after) },
  };
  return [
    put(channelKey(tenant, id, channel), after, records.channel),
    put(summaryKey(tenant, id), summary, records.summary),
  ];
}

function timelineWrite(
  { tenant, channel }: Place,
  { id, after, changed, before }: LaneChange,
  entry: JournalEntry,
): RecordWrite {
  const { index, at, actor, action, requestId, reason } = entry;
  const who = { index, at, actor, action, requestId, reason };
  const value: TimelineEntry = { ...who, changed, before, state: stateOf(after) };
  return { kind: 'put', key: timelineKey(tenant, id, channel, entry), value, expect: 'absent' };
}

/** Keeps the list of rules that wait for their time in step with the channel. */
function waitingWrites({ tenant, channel }: Place, change: LaneChange): RecordWrite[] {
  const { id, records, after } = change;
  const was = records.channel?.value.next?.effectiveAtMs;
  const is = after.next?.effectiveAtMs;
  if (was === is) return [];
  const writes: RecordWrite[] = [];
  if (was !== undefined) {
    writes.push({ kind: 'delete', key: waitingKey(tenant, id, channel, was), expect: 1 });
  }
  if (is !== undefined) {
    const key = waitingKey(tenant, id, channel, is);
    writes.push({ kind: 'put', key, value: { tenant, id, channel }, expect: 'absent' });
  }
  return writes;
}

function put(key: RecordKey, value: unknown, read: StoredRecord<unknown> | undefined): RecordWrite {
  return { kind: 'put', key, value, expect: read?.rev ?? 'absent' };
}

function stateOf({ gen, current, next, canary }: ChannelRecord): ChannelState {
  return {
    gen,
    current: current === null ? null : withoutBody(current),
    next: next === null ? null : { ...withoutBody(next), effectiveAtMs: next.effectiveAtMs },
    ...(canary === undefined ? {} : { canary: { ...canary, rule: withoutBody(canary.rule) } }),
  };
}

function withoutBody(rule: PlacedRule): RuleRef {
  const { bodyDigest } = rule;
  return { ...refOf(rule), ...(bodyDigest === undefined ? {} : { bodyDigest }) };
}

function termsOf(canary: Canary<PlacedRule>): CanaryTerms {
  const { run: _, rule: _rule, ...terms } = canary;
  return terms;
}
