import type { Canary } from '../policies/canary.ts';
import type { ChannelRecord, PlacedRule } from '../policies/channel-record.ts';
import type { LaneChange } from '../policies/lane-writes.ts';
import {
  dropWaiting,
  endCanary,
  placeRule,
  restoreRule,
  settle,
  startCanary,
} from '../policies/move-channel.ts';
import { changedLane } from '../policies/movement.ts';
import { resolveRule } from '../policies/resolve-rule.ts';
import type { LaneAction } from '../policies/timeline-entry.ts';
import type { RunLane, Situation } from './read-situation.ts';
import type { RunPolicy } from './run-record.ts';

export type RunLaneChange = LaneChange & { readonly action: LaneAction };

/** Whether the lane is as the run left it, or found it when it began. */
export function isOwn({ policy, records }: RunLane, run: number): boolean {
  const lane = records.channel?.value;
  // A rule that waited may have taken effect meanwhile, which is no change of anybody's mind.
  if (lane?.canary?.run === run) return true;
  return policy.base !== null && (lane?.gen ?? 0) === policy.base.gen;
}

/** Whether the lane is as the run's release left it. */
export function isAsReleased({ policy, records }: RunLane): boolean {
  const lane = records.channel?.value;
  if (lane === undefined || policy.base === null) return false;
  if (lane.gen === policy.base.gen) return true;
  // The rule waited for its time, and that it came has been noted: nobody's change of mind.
  const isInForce = lane.next === null && lane.current?.digest === policy.digest;
  return policy.effectiveAt !== null && isInForce && lane.gen === policy.base.gen + 1;
}

/** The first policy whose lane somebody else has moved. */
export function lostLane({ lanes, stored }: Situation): RunLane | undefined {
  return lanes.find((lane) => !isOwn(lane, stored.value.run));
}

/** Whether any lane still has this run's candidate. */
export function hasCanary({ lanes, stored }: Situation): boolean {
  return lanes.some(({ records }) => records.channel?.value.canary?.run === stored.value.run);
}

/** Gives each candidate to the audience. Takes for granted that each lane has a rule in force. */
export function canaryMoves(
  now: Situation,
  canaryOf: (policy: RunPolicy) => Canary<PlacedRule>,
  nowMs: number,
): RunLaneChange[] {
  return now.lanes.map((lane) => {
    const canary = canaryOf(lane.policy);
    const after = startCanary(lane.records.channel?.value, canary, nowMs);
    return change(now, lane, after, lane.policy, 'policy.canary', null, nowMs);
  });
}

/** Takes the candidates away, wherever they still are. */
export function restoreMoves(now: Situation, nowMs: number): RunLaneChange[] {
  const { run } = now.stored.value;
  return now.lanes.flatMap((lane) => {
    const record = lane.records.channel?.value;
    if (record?.canary?.run !== run) return [];
    const after = endCanary(settle(record, nowMs));
    const rule = resolveRule(after, nowMs);
    if (rule === null) throw new Error(`${lane.policy.id} has a canary, but no rule in force.`);
    return [change(now, lane, after, rule, 'policy.restored', null, nowMs)];
  });
}

/** Puts each candidate in force for everyone, at once or from its effective time on. */
export function releaseMoves(
  now: Situation,
  ruleOf: (policy: RunPolicy) => PlacedRule,
  nowMs: number,
): RunLaneChange[] {
  return now.lanes.map((lane) => {
    const { policy, records } = lane;
    const { effectiveAt } = policy;
    const atMs = effectiveAt === null ? null : Date.parse(effectiveAt);
    const after = placeRule(records.channel?.value, ruleOf(policy), atMs, nowMs);
    const waitsMs = after.next?.effectiveAtMs ?? null;
    return change(now, lane, after, policy, 'policy.released', waitsMs, nowMs);
  });
}

/** Puts the rules back that a release replaced; those that replaced none stay. */
export function takeBackMoves(
  now: Situation,
  ruleOf: (policy: RunPolicy) => PlacedRule | null,
  nowMs: number,
): RunLaneChange[] {
  return now.lanes.flatMap((lane) => {
    const record = lane.records.channel?.value;
    const rule = ruleOf(lane.policy);
    if (record === undefined || rule === null) return [];
    const settled = settle(record, nowMs);
    const isBack = settled.current?.digest === rule.digest;
    const after = isBack ? dropWaiting(settled) : restoreRule(record, rule, nowMs);
    return [change(now, lane, after, rule, 'policy.restored', null, nowMs)];
  });
}

function change(
  { stored }: Situation,
  { policy, records }: RunLane,
  after: ChannelRecord,
  subject: Parameters<typeof changedLane>[1],
  action: LaneAction,
  effectiveAtMs: number | null,
  nowMs: number,
): RunLaneChange {
  const { channel, run } = stored.value;
  const held = records.channel?.value;
  const rule = held === undefined ? null : resolveRule(held, nowMs);
  const before =
    held === undefined || rule === null ? null : changedLane({ channel }, rule, held.gen, null);
  const changed = { ...changedLane({ channel }, subject, after.gen, effectiveAtMs), run };
  return { id: policy.id, records, after, changed, before, action };
}

/** The run's policies, each expecting its lane as these changes leave it. */
export function basedOn(
  policies: readonly RunPolicy[],
  changes: readonly RunLaneChange[],
): RunPolicy[] {
  return policies.map((policy) => {
    const moved = changes.find(({ id }) => id === policy.id);
    if (moved === undefined || policy.base === null) return policy;
    return { ...policy, base: { ...policy.base, gen: moved.after.gen } };
  });
}
