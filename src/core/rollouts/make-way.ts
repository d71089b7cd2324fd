import type { Deps } from '../deps.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { getRecord } from '../records.ts';
import { changeRun, type RunDeps, serviceOrigin } from './change-run.ts';
import { endStep } from './end-run.ts';
import { hasCanary } from './lane-moves.ts';
import { requireRun } from './read-situation.ts';
import type { RunRef } from './rollout-tasks.ts';
import { processName, runLanesKey } from './run-keys.ts';
import { hold, holdersOf, letGo, noLanes, waitersOf } from './run-lanes.ts';
import { isOpen, type RunRecord } from './run-record.ts';

type WayDeps = RunDeps & Pick<Deps, 'workflows' | 'log'>;

/** A run stands in the way of a few others at most; the rest is the reconciler's. */
const maxRounds = 10;

/**
 * Brings a queued run as far as others let it: ends those that it replaces, and, once it holds
 * all its lanes, starts it. Safe to repeat; a run that has been started, or has ended, is left
 * alone.
 */
export async function makeWay(deps: WayDeps, ref: RunRef): Promise<void> {
  for (let round = 0; round < maxRounds; round++) {
    const { value: run } = await requireRun(deps, ref);
    if (run.status !== 'queued') return;
    if (run.waitsFor === null) return start(deps, ref);
    const state = await takeLanes(deps, ref);
    if (state !== 'held') continue;
    if (!(await clearHolders(deps, ref, run))) return;
  }
}

async function start(deps: WayDeps, ref: RunRef): Promise<void> {
  await deps.workflows.start(processName(ref), { tenant: ref.tenant, run: ref.run });
}

/** Holds the lanes if nobody else does; a run whose place in the queue was taken ends. */
async function takeLanes(deps: WayDeps, ref: RunRef): Promise<'taken' | 'held' | 'ended'> {
  const origin = serviceOrigin(deps, ref);
  return changeRun<'taken' | 'held' | 'ended'>(deps, origin, ref, async (now) => {
    const run = now.stored.value;
    if (run.status !== 'queued' || run.waitsFor === null) return { result: 'taken' };
    const ids = run.policies.map(({ id }) => id);
    const lanes = now.runLanes?.value ?? noLanes;
    const next = waitersOf(lanes, ids);
    if (ids.some((id) => lanes.waiting[id] !== run.run)) {
      const newer = next.find((other) => other > run.run);
      const outcome = `Run ${newer ?? 'after it'} took its place in the queue.`;
      return endStep(deps, now, { status: 'superseded', outcome });
    }
    const [holder, ...others] = holdersOf(lanes, ids);
    if (holder !== undefined) {
      if ([holder, ...others].includes(run.waitsFor)) return { result: 'held' };
      // The one that it waited for is gone, and there is another.
      const waits = { ...run, waitsFor: holder };
      return { action: 'run.queued', run: waits, result: 'held', facts: { waitsFor: holder } };
    }
    const value = hold(letGo(lanes, run.run), run.run, ids);
    const key = runLanesKey(ref.tenant, run.channel);
    return {
      action: 'run.started',
      run: { ...run, waitsFor: null },
      result: 'taken',
      writes: [{ kind: 'put', key, value, expect: now.runLanes?.rev ?? 'absent' }],
    };
  });
}

/** Ends whoever is in the way and may be ended; true when the lanes may be free now. */
async function clearHolders(deps: WayDeps, ref: RunRef, run: RunRecord): Promise<boolean> {
  const found = await getRecord(deps, runLanesKey(ref.tenant, run.channel));
  const holders = holdersOf(
    found?.value ?? noLanes,
    run.policies.map(({ id }) => id),
  );
  const cleared = await Promise.all(
    holders.map((holder) => yieldTo(deps, { tenant: ref.tenant, run: holder }, run)),
  );
  return cleared.every(Boolean);
}

/** Ends a run for the sake of a newer one; false when that one has to wait. */
async function yieldTo(deps: WayDeps, ref: RunRef, newer: RunRecord): Promise<boolean> {
  const origin: Origin = { ...serviceOrigin(deps, ref), actor: newer.author };
  const outcome = newer.hotfix
    ? `The hotfix of run ${newer.run} ended it: ${newer.reason}`
    : `Run ${newer.run} is newer.`;
  const result = await changeRun<'ended' | 'goes on'>(deps, origin, ref, async (now) => {
    const run = now.stored.value;
    if (!isOpen(run.status) || run.releasedAtMs !== null) return { result: 'ended' };
    if (newer.hotfix) {
      return endStep(deps, now, { status: 'aborted', outcome, reason: newer.reason });
    }
    if (run.progress !== null || hasCanary(now)) return { result: 'goes on' };
    return endStep(deps, now, { status: 'superseded', outcome });
  });
  return result === 'ended';
}

/** The same for several runs. A failure is logged: the reconciler tries again. */
export async function makeWayForAll(
  deps: WayDeps,
  tenant: string,
  runs: readonly number[],
): Promise<void> {
  for (const run of runs) {
    await makeWay(deps, { tenant, run }).catch((error: unknown) => {
      deps.log.warn('run not started yet', { tenant, run, error });
    });
  }
}

/** To be called when a run has let go of its lanes: who waited for them may come. */
export async function makeWayForWaiters(
  deps: WayDeps,
  tenant: string,
  { channel, policies }: Pick<RunRecord, 'channel' | 'policies'>,
): Promise<void> {
  const found = await getRecord(deps, runLanesKey(tenant, channel));
  const ids = policies.map(({ id }) => id);
  await makeWayForAll(deps, tenant, waitersOf(found?.value ?? noLanes, ids));
}
