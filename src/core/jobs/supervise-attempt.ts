import type { JobTurn } from '../../ports/job-queue.ts';
import type { LogFields } from '../../ports/log.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors/app-error.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { JobDeps, StoredJob } from './change-job.ts';
import type { Worker } from './define-worker.ts';
import type { AttemptOutcome } from './finish-attempt.ts';
import { jobLimits } from './job-limits.ts';
import { renewLease, reportProgress } from './keep-lease.ts';
import { type AttemptControls, runAttempt, type RunDeps } from './run-attempt.ts';

export type SuperviseDeps = JobDeps & RunDeps & Pick<Deps, 'queue' | 'log'>;

/** An attempt under way, in this process. */
export interface Attempt {
  readonly turn: JobTurn;
  readonly origin: Origin;
  readonly started: StoredJob;
  /** Of its lease. */
  readonly token: string;
  readonly timeoutMs: number;
  /** Unix ms at which that is over. */
  readonly endsAtMs: number;
  /** Gives it up, as if this process had ended. */
  readonly stop: AbortSignal | undefined;
  /** The record as it stands; undefined once something else than its end was written. */
  known: StoredJob | undefined;
  /** How often it began anew because others changed what it rests on. */
  conflicts: number;
}

/** Made once: an error costs more than all the rest of how a short attempt ends. */
const attemptOver = new AppError('lease_lost', 'The attempt is over.');

/**
 * Runs the worker, within its time, and keeps its lease and its turn meanwhile. What the worker
 * throws is an outcome. Errors: `lease_lost`, also when it is given up.
 */
export async function superviseAttempt(
  deps: SuperviseDeps,
  worker: Worker,
  attempt: Attempt,
): Promise<AttemptOutcome> {
  const { tenant } = attempt.turn;
  const over = new AbortController();
  const cut = new AbortController();
  const lost = lossOf(attempt, over.signal);
  const progress = progressOf(deps, attempt, over.signal, lost.reject);
  const controls = { signal: cut.signal, progress };
  const work = runAttempt(deps, worker, tenant, attempt.started.value, controls).catch(failureOf);
  void keepTurn(deps, attempt, over.signal, lost.reject);
  try {
    return await Promise.race([work, timeUp(deps, attempt, over.signal), lost.promise]);
  } finally {
    over.abort(attemptOver);
    // A worker that goes on regardless has lost its right to write.
    cut.abort(attemptOver);
  }
}

/** The failure of an attempt whose worker threw this. */
export function failureOf(error: unknown, code?: string): AttemptOutcome {
  const said: unknown = error instanceof Error ? error.message : error;
  const message = typeof said === 'string' ? said : 'What was thrown is no Error.';
  return { kind: 'failed', code: code ?? 'handler_failed', message };
}

interface Loss {
  /** Never resolves. */
  readonly promise: Promise<never>;
  readonly reject: (reason: unknown) => void;
}

function lossOf({ stop }: Attempt, over: AbortSignal): Loss {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new AppError('lease_lost', 'The attempt was given up.'));
  stop?.addEventListener('abort', giveUp, { signal: over });
  if (stop?.aborted === true) giveUp();
  return { promise, reject };
}

async function timeUp(
  { clock }: Pick<Deps, 'clock'>,
  { endsAtMs, timeoutMs }: Attempt,
  over: AbortSignal,
): Promise<AttemptOutcome> {
  await clock.sleep(endsAtMs - clock.nowMs(), over);
  const message = `The attempt took longer than ${timeoutMs} ms.`;
  return { kind: 'failed', code: 'timeout', message };
}

/** Renews lease and turn every third of the lease, until it is over or lost. */
async function keepTurn(
  deps: SuperviseDeps,
  attempt: Attempt,
  over: AbortSignal,
  lose: (reason: unknown) => void,
): Promise<void> {
  const { turn, token } = attempt;
  const { leaseMs, turnMs } = jobLimits;
  for (;;) {
    await deps.clock.sleep(leaseMs / 3, over);
    if (over.aborted) return;
    attempt.known = undefined;
    try {
      await renewLease(deps, turn, token, leaseMs);
      // That it is gone matters to nobody as long as the lease stands.
      await deps.queue.hide(turn, turnMs);
    } catch (error) {
      if (isLeaseLost(error)) return lose(error);
      deps.log.warn('lease not renewed', { ...aboutAttempt(attempt), error });
    }
  }
}

/** Drops what comes too often: the next word says more anyway. */
function progressOf(
  deps: SuperviseDeps,
  attempt: Attempt,
  over: AbortSignal,
  lose: (reason: unknown) => void,
): AttemptControls['progress'] {
  const { turn, origin, token } = attempt;
  let lastMs = Number.NEGATIVE_INFINITY;
  return async (percent, note) => {
    const nowMs = deps.clock.nowMs();
    // A clock may step back.
    const isTooSoon = Math.abs(nowMs - lastMs) < jobLimits.progressEveryMs;
    if (over.aborted || isTooSoon || !Number.isFinite(percent)) return;
    lastMs = nowMs;
    attempt.known = undefined;
    const progress = { percent: Math.min(100, Math.max(0, percent)), note: note ?? null };
    try {
      await reportProgress(deps, origin, turn, token, progress);
    } catch (error) {
      if (isLeaseLost(error)) lose(error);
      else deps.log.warn('progress not kept', { ...aboutAttempt(attempt), error });
    }
  };
}

/** For the log: also the trace of the call that enqueued the job. */
export function aboutAttempt({ turn, origin, started }: Attempt): LogFields {
  const { traceparent } = started.value;
  const traced = traceparent === undefined ? {} : { traceId: traceparent.split('-')[1] };
  return { requestId: origin.requestId, ...traced, tenant: turn.tenant, job: turn.id };
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'lease_lost' || error.code === 'not_found');
}
