import assert from 'node:assert/strict';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { sortableIndex } from '../../src/core/journal/journal-keys.ts';
import type { RuleRef, SnapshotRef, Waiting } from '../../src/core/policies/channel-record.ts';
import type { ChangedLane, MovedLane } from '../../src/core/policies/timeline-entry.ts';

export interface LaneState {
  readonly gen: number;
  readonly current: RuleRef | null;
  readonly next: Waiting<RuleRef> | null;
  readonly earlier: readonly SnapshotRef[];
  readonly canary?: DerivedCanary;
}

/** All of a canary that the journal tells of: not its lease. */
interface DerivedCanary {
  readonly weight: number;
  readonly salt: string;
  readonly region: string | null;
  readonly run: number;
  readonly rule: RuleRef;
}

/** What one entry did to one lane. */
export interface Move {
  readonly id: string;
  readonly action: string;
  readonly changed: ChangedLane;
  /** The snapshot in force for everyone until then. */
  readonly before: string | null;
}

const maxEarlier = 10;
/** Between a decision and its entry a rule may take effect; readers' clocks differ, too. */
const raceMs = 5000;
export const laneActions = new Set([
  'policy.published',
  'policy.promoted',
  'policy.rolledback',
  'policy.activated',
]);

/** What an entry did to lanes: none, one, or those of a run. */
export function movesOf(entry: JournalEntry): Move[] {
  if (laneActions.has(entry.action)) {
    const before = entry.before as unknown as ChangedLane | null;
    const changed = entry.after as unknown as ChangedLane;
    return [{ id: entry.subject, action: entry.action, changed, before: before?.snapshot ?? null }];
  }
  if (!entry.action.startsWith('run.')) return [];
  const { lanes = [] } = entry.after as { lanes?: readonly MovedLane[] };
  return lanes.map(({ id, action, before, ...changed }) => ({ id, action, changed, before }));
}

/** What a move makes of a lane. */
export function afterMove(
  was: LaneState,
  lane: LaneState,
  entry: JournalEntry,
  { action, changed }: Move,
): LaneState {
  const where = `entry ${sortableIndex(entry.index)}`;
  const { gen, effectiveAt } = changed;
  assert.equal(gen, was.gen + 1, `${where}: gen`);
  const rule = refOf(changed);
  const { canary, ...stable } = lane;
  switch (action) {
    case 'policy.activated':
      assert.notEqual(was.next, null, `${where}: nothing waited`);
      assert.deepEqual(rule, lane.current, `${where}: activated another rule`);
      return { ...lane, gen };
    case 'policy.rolledback':
      return { ...restored(stable, rule), gen };
    case 'policy.canary': {
      const { canary: audience } = entry.after as unknown as { canary: Audience };
      const run = ownRun(changed, canary, where);
      assert.notEqual(lane.current, null, `${where}: a canary without a rule to go back to`);
      return { ...lane, gen, canary: { ...audience, run, rule } };
    }
    case 'policy.restored':
      if (canary === undefined) return { ...restored(stable, rule), gen };
      ownRun(changed, canary, where);
      assert.deepEqual(rule, lane.current, `${where}: restored another rule`);
      return { ...stable, gen };
    default: {
      if (action === 'policy.released') ownRun(changed, canary, where);
      else assert.equal(canary, undefined, `${where}: went past a canary`);
      if (effectiveAt === null) return { ...entered(stable, rule), gen };
      return { ...stable, gen, next: { ...rule, effectiveAtMs: Date.parse(effectiveAt) } };
    }
  }
}

type Audience = Pick<DerivedCanary, 'weight' | 'salt' | 'region'>;

/** Whose candidate is tried in a lane, nobody else moves it forward. */
function ownRun({ run }: ChangedLane, canary: DerivedCanary | undefined, where: string): number {
  assert.ok(run !== undefined, `${where}: no run did it`);
  if (canary !== undefined) assert.equal(canary.run, run, `${where}: another run's canary`);
  return run;
}

/** The lane as the decision saw it, of which `before` tells: what waited may have come into force. */
export function asDecided(
  was: LaneState,
  entry: JournalEntry,
  { action, before }: Move,
): LaneState {
  const where = `entry ${sortableIndex(entry.index)}`;
  const atMs = Date.parse(entry.at);
  const { next } = was;
  const activated = action === 'policy.activated';
  const isDue = next !== null && (activated || before === next.snapshot);
  if (isDue) assert.ok(next.effectiveAtMs <= atMs, `${where}: what waited was in force early`);
  else if (next !== null) {
    assert.ok(next.effectiveAtMs > atMs - raceMs, `${where}: what waited was not in force`);
  }
  const lane = isDue ? entered(was, refOf(next)) : was;
  const seen = activated ? was.current : lane.current;
  assert.equal(before, seen?.snapshot ?? null, `${where}: before`);
  checkBefore(was, seen, entry, where);
  return lane;
}

/** Where the entry tells more of the rule before than its name. */
function checkBefore(
  was: LaneState,
  seen: RuleRef | null,
  entry: JournalEntry,
  where: string,
): void {
  if (!laneActions.has(entry.action) || entry.before === null) return;
  const before = entry.before as unknown as ChangedLane;
  assert.deepEqual(refOf(before), seen, `${where}: before`);
  assert.equal(before.gen, was.gen, `${where}: gen before`);
}

function entered(lane: LaneState, rule: RuleRef): LaneState {
  const { current, earlier } = lane;
  const left = current === null || current.digest === rule.digest ? [] : [nameOf(current)];
  const behind = [...left, ...earlier].slice(0, maxEarlier);
  return { ...lane, current: rule, next: null, earlier: behind };
}

function restored(lane: LaneState, rule: RuleRef): LaneState {
  const { gen, current, earlier } = lane;
  const place = earlier.findIndex(({ digest }) => digest === rule.digest);
  if (current?.digest === rule.digest || place === -1) {
    return { gen, current: rule, next: null, earlier };
  }
  return { gen, current: rule, next: null, earlier: earlier.slice(place + 1) };
}

/** A rule as an entry names it. Of the body's digest no entry tells: it is to be that of the body. */
export function refOf(rule: SnapshotRef): RuleRef {
  return { ...nameOf(rule), bodyDigest: ofItsBody };
}

export const ofItsBody = 'of its body';

function nameOf({ snapshot, version, digest }: SnapshotRef): SnapshotRef {
  return { snapshot, version, digest: hexOf(digest) };
}

export function hexOf(digest: string): string {
  return digest.replace('sha256:', '');
}
