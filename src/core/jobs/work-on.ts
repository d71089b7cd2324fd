import type { JobTurn } from '../../ports/job-queue.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { Worker } from './define-worker.ts';
import { type AttemptOutcome, finishAttempt, type FinishedAttempt } from './finish-attempt.ts';
import { jobLimits } from './job-limits.ts';
import type { JobRecord } from './job-record.ts';
import { defaultRetry } from './retry-schedule.ts';
import { startAttempt } from './start-attempt.ts';
import {
  aboutAttempt,
  type Attempt,
  failureOf,
  isLeaseLost,
  superviseAttempt,
  type SuperviseDeps,
} from './supervise-attempt.ts';

export interface WorkDeps extends SuperviseDeps, Pick<Deps, 'metrics'> {
  /** This process, among all that work for us. */
  readonly workerName: string;
  readonly isGone?: ((worker: string) => boolean) | undefined;
}

/** `waits`: the job comes again, and must stay in the queue. */
export type TurnEnd = 'ended' | 'waits';

const defaultTimeoutMs = 60_000;
/** Longer waits are spent as one that was sent anew. */
const maxHideMs = 60_000;
/**
 * Fresh transactions that one attempt may take, within its time, before it counts as failed. Each
 * stands for a change that somebody else got through: of ten at one record, one is the last.
 */
const maxConflicts = 50;
/** How often the end of an attempt is sent, when the store does not answer. */
const maxReports = 4;

/**
 * Works on the job whose turn it is, to the end of one attempt, and gives the turn back: taken out
 * of the queue when the job has ended, hidden until its next attempt otherwise. `stop` gives the
 * attempt up where it stands, as if this process had ended.
 *
 * Never throws for what the handler does. Errors: `Unavailable` or `Conflict` when the stores do not
 * answer, or others keep changing the job: the turn comes again when its time has run out.
 */
export async function workOn(
  deps: WorkDeps,
  worker: Worker,
  turn: JobTurn,
  stop?: AbortSignal,
): Promise<TurnEnd> {
  const origin: Origin = { tenant: turn.tenant, actor: 'hms-svc', requestId: deps.ids.next() };
  const started = await startAttempt(deps, origin, turn, {
    worker: deps.workerName,
    leaseMs: jobLimits.leaseMs,
    movesPlace: false,
    metricType: worker.type,
    isGone: deps.isGone,
  });
  if (started.status === 'later') return putOff(deps, turn, started.atMs, started);
  if (started.status === 'started') {
    const { stored, lease } = started;
    const timeoutMs = worker.timeoutMs ?? defaultTimeoutMs;
    const nextAtMs = await nextAttempt(deps, worker, {
      turn,
      origin,
      started: stored,
      token: lease.token,
      timeoutMs,
      endsAtMs: deps.clock.nowMs() + timeoutMs,
      stop,
      known: stored,
      conflicts: 0,
    });
    if (nextAtMs !== null) return putOff(deps, turn, nextAtMs, stored.value);
  }
  await deps.queue.remove(turn);
  return 'ended';
}

/** Until then nobody is to get it. */
async function putOff(
  deps: WorkDeps,
  turn: JobTurn,
  notBeforeMs: number,
  { priority }: Pick<JobRecord, 'priority'>,
): Promise<TurnEnd> {
  const waitMs = Math.max(0, notBeforeMs - deps.clock.nowMs());
  if (waitMs <= maxHideMs) {
    await deps.queue.hide(turn, waitMs);
    return 'waits';
  }
  // A queue that holds many hidden jobs may hand out no others.
  const { tenant, type, id } = turn;
  await deps.queue.send([{ tenant, type, id, priority, notBeforeMs }]);
  await deps.queue.remove(turn);
  return 'ended';
}

/** Makes an attempt, and answers when the next one is due, in Unix ms; null: the job has ended. */
async function nextAttempt(
  deps: WorkDeps,
  worker: Worker,
  attempt: Attempt,
): Promise<number | null> {
  try {
    for (;;) {
      const outcome = await superviseAttempt(deps, worker, attempt);
      const finished = await finish(deps, worker, attempt, outcome);
      if (finished !== 'conflict') return finished.nextAtMs;
      attempt.conflicts += 1;
    }
  } catch (error) {
    if (!isLeaseLost(error)) throw error;
    deps.log.info('attempt lost its lease', aboutAttempt(attempt));
    // Whether it has ended, or is another's now: its record tells whoever gets this turn next.
    return deps.clock.nowMs();
  }
}

/** `conflict`: what the work rests on has changed, and it may begin anew. */
async function finish(
  deps: WorkDeps,
  worker: Worker,
  attempt: Attempt,
  outcome: AttemptOutcome,
): Promise<FinishedAttempt | 'conflict'> {
  try {
    return await report(deps, worker, attempt, outcome);
  } catch (error) {
    if (outcome.kind !== 'completed') throw error;
    const code = error instanceof AppError ? error.code : null;
    if (code === 'conflict') {
      if (attempt.conflicts < maxConflicts) return 'conflict';
      return await report(deps, worker, attempt, failureOf(error, 'transaction_conflict'));
    }
    // What the worker wants written breaks a limit, or is not JSON.
    const isToBlame = code === null || code === 'too_large';
    if (isToBlame) return await report(deps, worker, attempt, failureOf(error));
    throw error;
  }
}

/** Writes the end of an attempt; again, when the store does not answer: the work is done. */
async function report(
  deps: WorkDeps,
  worker: Worker,
  attempt: Attempt,
  outcome: AttemptOutcome,
): Promise<FinishedAttempt> {
  const { turn, origin, token } = attempt;
  const retry = { ...defaultRetry, ...worker.retry };
  for (let sends = 1; ; sends++) {
    const { known } = attempt;
    attempt.known = undefined;
    try {
      const isAgain = attempt.conflicts > 0;
      const terms = { token, retry, metricType: worker.type, known, isAgain };
      return await finishAttempt(deps, origin, turn, outcome, terms);
    } catch (error) {
      if (sends >= maxReports || !mayRepeat(error, outcome)) throw error;
      await deps.clock.sleep(100 * 2 ** sends);
    }
  }
}

/** A completion whose transaction met a conflict is over: what it rests on has changed. */
function mayRepeat(error: unknown, { kind }: AttemptOutcome): boolean {
  if (!(error instanceof AppError) || !error.retryable) return false;
  return error.code !== 'conflict' || kind !== 'completed';
}
