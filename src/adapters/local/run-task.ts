import type { Json } from '../../core/values/json.ts';
import type { Clock } from '../../ports/clock.ts';
import { checkpoint, Stopped } from './execution.ts';
import type { Execution } from './execution.ts';
import { StateError } from './state-error.ts';
import type { Retrier, TaskState } from './state-machine.ts';
import { fill } from './state-paths.ts';

/**
 * What the task answers, or what its token is signalled with. It is run again after the errors
 * that its state names. A task that has timed out is given up: it may still be under way.
 */
export async function runTask(state: TaskState, input: Json, execution: Execution): Promise<Json> {
  const { clock, log, history, signal } = execution;
  const failures = new Map<Retrier, number>();
  history.add(state.waitsForToken ? 6 : 5);
  for (;;) {
    checkpoint(execution);
    try {
      return state.waitsForToken
        ? await askAndWait(state, input, execution)
        : await within(
            state.timeoutMs,
            execution.invoke(state.task, fill(state.input, input, {})),
            clock,
          );
    } catch (error) {
      if (error instanceof Stopped) throw error;
      const retrier = retrierFor(state, error);
      const failed = retrier === undefined ? 0 : (failures.get(retrier) ?? 0);
      if (retrier === undefined || failed >= retrier.maxAttempts) throw error;
      failures.set(retrier, failed + 1);
      history.add(3);
      log.warn('a task failed and is tried again', { task: state.task, failed: failed + 1, error });
      await clock.sleep(delayMs(retrier, failed), signal);
    }
  }
}

/** As on Step Functions, the token may be signalled before the task has returned. */
async function askAndWait(state: TaskState, input: Json, execution: Execution): Promise<Json> {
  const { clock, tokens, invoke, signal } = execution;
  const deadlineMs = clock.nowMs() + state.timeoutMs;
  const waiting = tokens.open();
  try {
    const asked = fill(state.input, input, { Task: { Token: waiting.token } });
    try {
      await within(state.timeoutMs, invoke(state.task, asked), clock);
    } catch (error) {
      if (!waiting.isSignalled()) throw error;
    }
    // Also when the clock was put back meanwhile.
    const leftMs = Math.min(state.timeoutMs, deadlineMs - clock.nowMs());
    return await within(leftMs, waiting.result, clock, signal);
  } finally {
    waiting.close();
  }
}

/** Errors: `States.Timeout` after so long; `Stopped` as soon as the signal aborts. */
async function within<T>(
  timeoutMs: number,
  work: Promise<T>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<T> {
  const done = new AbortController();
  const either = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const late = Symbol('late');
  try {
    const first = await Promise.race([work, clock.sleep(timeoutMs, either).then(() => late)]);
    if (first !== late) return first as T;
  } finally {
    done.abort();
  }
  if (signal?.aborted === true) throw new Stopped();
  throw new StateError('States.Timeout', `It took longer than ${timeoutMs / 1000} s.`);
}

function retrierFor(state: TaskState, error: unknown): Retrier | undefined {
  const name = error instanceof Error ? error.name : 'Error';
  return state.retry.find(({ errors }) => errors.includes(name));
}

function delayMs(retrier: Retrier, failures: number): number {
  const { intervalMs, backoffRate, maxDelayMs, jitter } = retrier;
  const fullMs = Math.min(maxDelayMs, intervalMs * backoffRate ** failures);
  return jitter ? Math.ceil(Math.random() * fullMs) : fullMs;
}
