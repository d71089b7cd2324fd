import type { Deps } from '../deps.ts';
import { Conflict } from '../errors/app-error.ts';
import { queryRecords } from '../records.ts';
import { changeRun, type RunDeps, serviceOrigin } from './change-run.ts';
import { endStep } from './end-run.ts';
import { makeWay, makeWayForWaiters } from './make-way.ts';
import { hasCanary } from './lane-moves.ts';
import { requireRun } from './read-situation.ts';
import type { RunRef } from './rollout-tasks.ts';
import { openRunsPartition, processName } from './run-keys.ts';
import { isOpen, type RunRecord } from './run-record.ts';
import { signalRun } from './signal-run.ts';
import { cutStages } from './stages.ts';
import { newTicket, reviewMs } from './tasks/ask-people.ts';
import { keepLease } from './keep-lease.ts';
import { judgeHeld } from './tasks/observe-canary.ts';
import { expireTicket } from './tickets.ts';

type ReconcileDeps = RunDeps & Pick<Deps, 'workflows' | 'log' | 'metrics'>;

const pageLength = 100;
const maxPages = 50;
/** A process may just be starting, or noting its own end. */
const graceMs = 15_000;

/**
 * Looks after every open run of every tenant: starts what nobody started or what was forgotten in
 * a restart, closes what no process drives any more, lets tickets expire, and wakes who missed a
 * decision. Safe at any time, and two at once. One that fails does not keep the others; then its
 * error is thrown. Answers how many runs are open.
 */
export async function reconcileRuns(deps: ReconcileDeps): Promise<number> {
  const failures: unknown[] = [];
  let after: string | undefined;
  let open = 0;
  for (let pages = 0; pages < maxPages; pages++) {
    const found = await queryRecords<RunRef>(deps, {
      partition: openRunsPartition,
      after,
      limit: pageLength,
    });
    for (const { value } of found) {
      await reconcileRun(deps, value).catch((error: unknown) => {
        // Somebody is at work on it just now: the next look will do.
        if (!(error instanceof Conflict)) failures.push(error);
      });
    }
    open += found.length;
    after = found.at(-1)?.key.sort;
    if (found.length < pageLength) break;
  }
  deps.metrics.runsOpen(open);
  if (failures.length > 0) throw failures[0];
  return open;
}

async function reconcileRun(deps: ReconcileDeps, ref: RunRef): Promise<void> {
  const { value: run } = await requireRun(deps, ref);
  if (!isOpen(run.status)) return;
  if (run.waitsFor !== null) return makeWay(deps, ref);
  if (await expireTicket(deps, ref)) return;
  const state = await deps.workflows.status(processName(ref));
  if (state === 'unknown') {
    deps.log.warn('run is driven again', { ...ref, status: run.status });
    await deps.workflows.start(processName(ref), { tenant: ref.tenant, run: ref.run });
    return;
  }
  if (state === 'ended') return closeLost(deps, ref);
  await signalRun(deps, ref, run);
  if (run.status === 'rolling-out') await keepHeldCanary(deps, ref);
}

/** A process that waits for the end of a blackout wakes too seldom for its canary. */
async function keepHeldCanary(deps: ReconcileDeps, ref: RunRef): Promise<void> {
  const origin = serviceOrigin(deps, ref);
  const over = await changeRun<RunRecord | null>(deps, origin, ref, async (now) => {
    if (now.stored.value.status !== 'rolling-out' || !hasCanary(now)) return { result: null };
    const { failed, learned } = await judgeHeld(deps, now);
    if (failed !== null) return { ...failed, result: failed.run };
    await keepLease(deps, now, learned);
    return { result: null };
  });
  if (over !== null) await makeWayForWaiters(deps, ref.tenant, over);
}

/** No process drives the run, and none will: everyone is on the rule from before, and people are told. */
async function closeLost(deps: ReconcileDeps, ref: RunRef): Promise<void> {
  const closed = await changeRun(deps, serviceOrigin(deps, ref), ref, async (now) => {
    const run = now.stored.value;
    if (!isOpen(run.status)) return { result: null };
    const nowMs = deps.clock.nowMs();
    const changedMs = Math.max(
      ...run.stages.map(({ endedAt, startedAt }) =>
        Date.parse(endedAt ?? startedAt ?? run.createdAt),
      ),
    );
    // Its last task may have ended the process a moment before it ends the run.
    if (nowMs - changedMs < graceMs) return { result: null };
    if (run.releasedAtMs !== null) {
      const outcome = 'In force for everyone. Its process stopped: partners are told without it.';
      const at = new Date(nowMs).toISOString();
      const stages = cutStages(run.stages, at, outcome);
      const over: RunRecord = { ...run, status: 'succeeded', outcome, endedAt: at, stages };
      return { action: 'run.ended', run: over, result: over };
    }
    const outcome = 'Its process stopped before it was through. Nothing stays changed.';
    const question = `Run ${run.run} lost its process at ${run.status}: look why, then start a new run.`;
    const asked = await newTicket(deps, now, 'review', question, reviewMs);
    const ticket = { ...asked, choices: ['close'] as const };
    const step = endStep(deps, now, { status: 'failed', outcome, ticket });
    return { ...step, result: step.run };
  });
  if (closed === null) return;
  deps.log.error('run lost its process', { ...ref, outcome: closed.outcome });
  await makeWayForWaiters(deps, ref.tenant, closed);
}

/** Looks every `intervalMs`, until `stop`. */
export async function keepReconciling(
  deps: ReconcileDeps,
  intervalMs: number,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await reconcileRuns(deps);
    } catch (error) {
      deps.log.error('reconciling failed', { error });
    }
    await deps.clock.sleep(intervalMs, stop);
  }
}
