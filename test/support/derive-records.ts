import assert from 'node:assert/strict';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { sortableIndex } from '../../src/core/journal/journal-keys.ts';
import type { SnapshotRef, Waiting } from '../../src/core/policies/channel-record.ts';
import {
  attachmentDigestKey,
  attachmentKey,
  bodyKey,
  channelHeadKey,
  channelKey,
  digestKey,
  snapshotKey,
  summaryKey,
  timelineKey,
  versionKey,
  waitingKey,
} from '../../src/core/policies/policy-keys.ts';
import type { ChangedLane } from '../../src/core/policies/timeline-entry.ts';
import type { RecordKey } from '../../src/ports/record-store.ts';

/** Records by key: what a tenant should have, or has. */
export type RecordsByKey = Record<string, unknown>;

interface LaneState {
  readonly gen: number;
  readonly current: SnapshotRef | null;
  readonly next: Waiting<SnapshotRef> | null;
  readonly earlier: readonly SnapshotRef[];
}

const maxEarlier = 10;
/** Between a decision and its entry a rule may take effect; readers' clocks differ, too. */
const raceMs = 5000;
const laneActions = new Set([
  'policy.published',
  'policy.promoted',
  'policy.rolledback',
  'policy.activated',
]);

export function nameOfKey({ partition, sort }: RecordKey): string {
  return `${partition} ${sort}`;
}

/**
 * The records that a tenant's journal implies, from the entries alone; of bodies only that they
 * are there. Throws where the entries themselves contradict each other. What is written here is
 * a second telling of `src/core/policies`, on purpose without its help.
 */
export function deriveRecords(tenant: string, entries: readonly JournalEntry[]): RecordsByKey {
  const records: RecordsByKey = {};
  const lanes = new Map<string, LaneState>();
  const put = (key: RecordKey, value: unknown): void => void (records[nameOfKey(key)] = value);
  for (const entry of entries) {
    if (entry.action === 'attachment.added') putAttachment(put, tenant, entry);
    if (entry.action === 'snapshot.stored' || entry.action === 'policy.published') {
      putSnapshot(put, records, tenant, entry);
    }
    if (laneActions.has(entry.action)) moveLane(put, records, lanes, tenant, entry);
  }
  return records;
}

type Put = (key: RecordKey, value: unknown) => void;

function putAttachment(put: Put, tenant: string, entry: JournalEntry): void {
  const { index, at, actor, subject } = entry;
  const after = entry.after as { name: string; digest: string };
  const value = { ...after, digest: hexOf(after.digest), at, actor, index };
  put(attachmentKey(tenant, subject, index), value);
  put(attachmentDigestKey(tenant, subject, value.digest, after.name), value);
}

function putSnapshot(put: Put, records: RecordsByKey, tenant: string, entry: JournalEntry): void {
  const id = entry.subject;
  const ref = refOf(entry.after as unknown as ChangedLane);
  const { snapshot, digest } = ref;
  if (nameOfKey(digestKey(tenant, id, digest)) in records) return;
  put(snapshotKey(tenant, id, snapshot), { ...ref, storedBy: entry.actor });
  put(bodyKey(tenant, id, snapshot), 'a body');
  put(digestKey(tenant, id, digest), { snapshot });
  put(versionKey(tenant, id, ref.version, snapshot), { snapshot });
  const summary = summaryKey(tenant, id);
  if (!(nameOfKey(summary) in records)) put(summary, { id, createdAt: entry.at, channels: {} });
}

function moveLane(
  put: Put,
  records: RecordsByKey,
  lanes: Map<string, LaneState>,
  tenant: string,
  entry: JournalEntry,
): void {
  const id = entry.subject;
  const changed = entry.after as unknown as ChangedLane;
  const { channel } = changed;
  const lane = `${id} ${channel}`;
  const was = lanes.get(lane) ?? { gen: 0, current: null, next: null, earlier: [] };
  const is = afterEntry(was, entry);
  lanes.set(lane, is);

  const { earlier: _, ...state } = is;
  put(channelKey(tenant, id, channel), is);
  const { index, at, actor, action, requestId, reason, before } = entry;
  const told = { index, at, actor, action, requestId, reason };
  put(timelineKey(tenant, id, channel, entry), { ...told, changed, before, state });

  const summary = summaryKey(tenant, id);
  const { channels, ...rest } = records[nameOfKey(summary)] as { channels: object };
  put(summary, { ...rest, channels: { ...channels, [channel]: state } });

  const head = channelHeadKey(tenant, channel);
  const old = records[nameOfKey(head)] as { waiting: Record<string, number> } | undefined;
  const { [id]: _mine, ...others } = old?.waiting ?? {};
  const mine = is.next === null ? {} : { [id]: is.next.effectiveAtMs };
  put(head, { index, waiting: { ...others, ...mine } });

  if (was.next !== null) {
    delete records[nameOfKey(waitingKey(tenant, id, channel, was.next.effectiveAtMs))];
  }
  if (is.next !== null) {
    put(waitingKey(tenant, id, channel, is.next.effectiveAtMs), { tenant, id, channel });
  }
}

/** What an entry makes of a lane. */
function afterEntry(was: LaneState, entry: JournalEntry): LaneState {
  const changed = entry.after as unknown as ChangedLane;
  const where = `entry ${sortableIndex(entry.index)}`;
  assert.equal(changed.gen, was.gen + 1, `${where}: gen`);
  const lane = asDecided(was, entry, where);
  const rule = refOf(changed);
  const gen = changed.gen;
  switch (entry.action) {
    case 'policy.activated':
      assert.notEqual(was.next, null, `${where}: nothing waited`);
      assert.deepEqual(rule, lane.current, `${where}: activated another rule`);
      return { ...lane, gen };
    case 'policy.rolledback':
      return { ...restored(lane, rule), gen };
    default: {
      const { effectiveAt } = changed;
      if (effectiveAt === null) return { ...entered(lane, rule), gen };
      return { ...lane, gen, next: { ...rule, effectiveAtMs: Date.parse(effectiveAt) } };
    }
  }
}

/** The lane as the decision saw it, of which `before` tells: what waited may have come into force. */
function asDecided(was: LaneState, entry: JournalEntry, where: string): LaneState {
  const before = entry.before as unknown as ChangedLane | null;
  const atMs = Date.parse(entry.at);
  const { next } = was;
  const activated = entry.action === 'policy.activated';
  const isDue = next !== null && (activated || before?.snapshot === next.snapshot);
  if (isDue) assert.ok(next.effectiveAtMs <= atMs, `${where}: what waited was in force early`);
  else if (next !== null) {
    assert.ok(next.effectiveAtMs > atMs - raceMs, `${where}: what waited was not in force`);
  }
  const lane = isDue ? entered(was, refOf(next)) : was;
  const seen = before === null ? null : refOf(before);
  assert.deepEqual(seen, activated ? was.current : lane.current, `${where}: before`);
  if (before !== null) assert.equal(before.gen, was.gen, `${where}: gen before`);
  return lane;
}

function entered(lane: LaneState, rule: SnapshotRef): LaneState {
  const { gen, current, earlier } = lane;
  const left = current === null || current.digest === rule.digest ? [] : [current];
  return { gen, current: rule, next: null, earlier: [...left, ...earlier].slice(0, maxEarlier) };
}

function restored(lane: LaneState, rule: SnapshotRef): LaneState {
  const { gen, current, earlier } = lane;
  const place = earlier.findIndex(({ digest }) => digest === rule.digest);
  if (current?.digest === rule.digest || place === -1) {
    return { gen, current: rule, next: null, earlier };
  }
  return { gen, current: rule, next: null, earlier: earlier.slice(place + 1) };
}

function refOf({ snapshot, version, digest }: SnapshotRef): SnapshotRef {
  return { snapshot, version, digest: hexOf(digest) };
}

function hexOf(digest: string): string {
  return digest.replace('sha256:', '');
}
