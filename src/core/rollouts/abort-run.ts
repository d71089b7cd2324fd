import type { Deps } from '../deps.ts';
import { Conflict } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { PlacedRule } from '../policies/channel-record.ts';
import { restoreNotices } from '../partners/deliveries.ts';
import { placeSnapshot } from '../policies/read-rule.ts';
import { changeRun, type RunDeps, type RunStep } from './change-run.ts';
import { endStep } from './end-run.ts';
import { isAsReleased, takeBackMoves } from './lane-moves.ts';
import { noticeWrites } from './notice-writes.ts';
import { makeWayForWaiters } from './make-way.ts';
import type { Situation } from './read-situation.ts';
import type { RunRef } from './rollout-tasks.ts';
import { isOpen, type RunPolicy, type RunRecord } from './run-record.ts';
import { signalRun } from './signal-run.ts';

type AbortDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

/**
 * Stops a run, at any stage and at once: everyone is on the rule from before it. One that is
 * telling its partners already takes its release back; one that has ended stays as it ended.
 */
export async function abortRun(
  deps: AbortDeps,
  origin: Origin,
  ref: RunRef,
  reason: string | null,
): Promise<RunRecord> {
  const ended = await changeRun(deps, origin, ref, (now) => decide(deps, origin, now, reason));
  if (!isOpen(ended.status)) {
    await signalRun(deps, ref, ended);
    await makeWayForWaiters(deps, ref.tenant, ended);
  }
  return ended;
}

async function decide(
  deps: AbortDeps,
  origin: Origin,
  now: Situation,
  reason: string | null,
): Promise<RunStep<RunRecord> | { readonly result: RunRecord }> {
  const run = now.stored.value;
  if (!isOpen(run.status)) return { result: run };
  const outcome = `${origin.actor} aborted it${reason === null ? '.' : `: ${reason}`}`;
  const step = endStep(deps, now, { status: 'aborted', outcome, reason });
  if (run.releasedAtMs === null) return { ...step, result: step.run };
  if (!now.lanes.every(isAsReleased)) {
    throw new Conflict(
      'The rules have changed since they were released: roll back each by itself.',
    );
  }
  const before = await rulesBefore(deps, now.ref, run);
  const ruleOf = ({ id }: RunPolicy) => before.get(id) ?? null;
  const lanes = takeBackMoves(now, ruleOf, deps.clock.nowMs());
  const { told, writes } = await restoreNotices(deps, now.ref.tenant, run.run);
  const tell = lanes.length === 0 ? [] : noticeWrites(deps, now, lanes, 'restored', told);
  const taken = { ...step.run, outcome: `${outcome}${whatStays(run)}`, releasedAtMs: null };
  return { ...step, run: taken, result: taken, lanes, writes: [...writes, ...tell] };
}

function whatStays({ policies }: RunRecord): string {
  const fresh = policies.filter(({ base }) => (base?.rule ?? null) === null).map(({ id }) => id);
  return fresh.length === 0 ? '' : ` (${fresh.join(', ')} had no rule before, and keeps this one)`;
}

async function rulesBefore(
  deps: Pick<Deps, 'records'>,
  { tenant }: RunRef,
  { policies }: RunRecord,
): Promise<ReadonlyMap<string, PlacedRule>> {
  const placed = await Promise.all(
    policies.map(async ({ id, base }): Promise<[string, PlacedRule][]> => {
      const rule = base?.rule ?? null;
      return rule === null ? [] : [[id, await placeSnapshot(deps, tenant, id, rule)]];
    }),
  );
  return new Map(placed.flat());
}
