import assert from 'node:assert/strict';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { sortableIndex } from '../../src/core/journal/journal-keys.ts';
import type { Channel } from '../../src/core/policies/channel.ts';
import {
  attachmentDigestKey,
  attachmentKey,
  bodyKey,
  channelHeadKey,
  channelKey,
  channelSettingsKey,
  digestKey,
  snapshotKey,
  summaryKey,
  timelineKey,
  versionKey,
  waitingKey,
} from '../../src/core/policies/policy-keys.ts';
import type { ChangedLane } from '../../src/core/policies/timeline-entry.ts';
import type { RecordKey } from '../../src/ports/record-store.ts';
import {
  afterMove,
  asDecided,
  hexOf,
  laneActions,
  type LaneState,
  type Move,
  movesOf,
  refOf,
} from './derive-lanes.ts';
import { DerivedRuns } from './derive-runs.ts';

/** Records by key: what a tenant should have, or has. */
export type RecordsByKey = Record<string, unknown>;

export function nameOfKey({ partition, sort }: RecordKey): string {
  return `${partition} ${sort}`;
}

/**
 * The records that a tenant's journal implies, from the entries alone; of bodies only that they
 * are there. Throws where the entries themselves contradict each other. What is written here is
 * a second telling of `src/core/policies` and `src/core/rollouts`, on purpose without its help.
 */
export function deriveRecords(tenant: string, entries: readonly JournalEntry[]): RecordsByKey {
  const records: RecordsByKey = {};
  const lanes = new Map<string, LaneState>();
  const runs = new DerivedRuns(tenant);
  const put = (key: RecordKey, value: unknown): void => void (records[nameOfKey(key)] = value);
  for (const entry of entries) {
    if (entry.action === 'attachment.added') putAttachment(put, tenant, entry);
    if (entry.action === 'snapshot.stored' || entry.action === 'policy.published') {
      putSnapshot(put, records, tenant, entry);
    }
    if (entry.action === 'channel.settings') putSettings(put, tenant, entry);
    for (const move of movesOf(entry)) moveLane(put, records, lanes, tenant, entry, move);
    runs.take(entry);
    checkHolders(lanes, runs, entry);
  }
  runs.putInto(put);
  return records;
}

/** A canary is that of a run which tries it, or waits to release it, and holds the lane. */
function checkHolders(
  lanes: ReadonlyMap<string, LaneState>,
  runs: DerivedRuns,
  { index }: JournalEntry,
): void {
  for (const [lane, { canary }] of lanes) {
    if (canary === undefined) continue;
    const { status, holds } = runs.stateOf(canary.run);
    const where = `entry ${sortableIndex(index)}: ${lane} has the canary of run ${canary.run}`;
    assert.ok(status === 'canary' || status === 'rolling-out', `${where}, which is ${status}`);
    assert.ok(holds(lane), `${where}, which does not hold it`);
  }
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

function putSettings(put: Put, tenant: string, { subject, after }: JournalEntry): void {
  const channel = subject.replace('channel:', '') as Channel;
  put(channelSettingsKey(tenant, channel), after);
}

function moveLane(
  put: Put,
  records: RecordsByKey,
  lanes: Map<string, LaneState>,
  tenant: string,
  entry: JournalEntry,
  move: Move,
): void {
  const { id, changed } = move;
  const { channel } = changed;
  const lane = `${id} ${channel}`;
  const was = lanes.get(lane) ?? { gen: 0, current: null, next: null, earlier: [] };
  const decided = asDecided(was, entry, move);
  const is = afterMove(was, decided, entry, move);
  lanes.set(lane, is);

  const { earlier: _, ...state } = is;
  put(channelKey(tenant, id, channel), is);
  const { index, at, actor, action, requestId, reason } = entry;
  const told = { index, at, actor, action, requestId, reason };
  const before = beforeOf(was, decided, entry, move);
  put(timelineKey(tenant, id, channel, entry), { ...told, changed, before, state });

  const summary = summaryKey(tenant, id);
  const { channels, ...rest } = records[nameOfKey(summary)] as { channels: object };
  put(summary, { ...rest, channels: { ...channels, [channel]: state } });

  putHead(put, records, channelHeadKey(tenant, channel), index, id, is);

  if (was.next !== null) {
    delete records[nameOfKey(waitingKey(tenant, id, channel, was.next.effectiveAtMs))];
  }
  if (is.next !== null) {
    put(waitingKey(tenant, id, channel, is.next.effectiveAtMs), { tenant, id, channel });
  }
}

function putHead(
  put: Put,
  records: RecordsByKey,
  key: RecordKey,
  index: number,
  id: string,
  { next, canary }: LaneState,
): void {
  const old = records[nameOfKey(key)] as HeadShape | undefined;
  const waiting = { ...old?.waiting };
  const canaries = { ...old?.canaries };
  if (next === null) delete waiting[id];
  else waiting[id] = next.effectiveAtMs;
  if (canary === undefined) delete canaries[id];
  else {
    const { run: _run, rule: _rule, ...audience } = canary;
    canaries[id] = audience;
  }
  put(key, { index, waiting, ...(Object.keys(canaries).length === 0 ? {} : { canaries }) });
}

interface HeadShape {
  readonly waiting: Record<string, number>;
  readonly canaries?: Record<string, unknown>;
}

/** What the timeline keeps of the lane before: of a run's entry the journal has but the name. */
function beforeOf(
  was: LaneState,
  decided: LaneState,
  entry: JournalEntry,
  { changed: { channel } }: Move,
): unknown {
  if (laneActions.has(entry.action)) return entry.before;
  if (decided.current === null) return null;
  const { snapshot, version, digest } = decided.current;
  const rule = { snapshot, version, digest: `sha256:${digest}` };
  return { channel, ...rule, gen: was.gen, effectiveAt: null };
}
