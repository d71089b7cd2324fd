import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  handleWhenResult,
  type IBackoff,
  isBrokenCircuitError,
} from 'cockatiel';
import type { FailureWindow } from './failure-window.ts';

const opensAt = {
  inARow: 5,
  /** And a share of the last 10 s, from so many calls up. */
  minCalls: 20,
  failureShare: 0.5,
} as const;

/** What a result says of the target: `nothing`, where something else went wrong. */
export type Judge<T> = (result: T) => 'well' | 'failed' | 'nothing';

interface CircuitOptions<T> {
  readonly calls: FailureWindow;
  readonly nowMs: () => number;
  readonly judge: Judge<T>;
  readonly onChange: (to: 'opened' | 'closed') => void;
}

/**
 * The circuit of one target: cockatiel's state machine, which decides what opens and closes it. How
 * long it stays open is decided outside, so that several processes can agree on it: an open circuit
 * lets through what is run as its probe, and nothing else.
 */
export class Circuit<T> {
  readonly #options: CircuitOptions<T>;
  #policy: CircuitBreakerPolicy;
  #lets = false;

  constructor(options: CircuitOptions<T>) {
    this.#options = options;
    this.#policy = this.#make(undefined);
  }

  get isClosed(): boolean {
    return this.#policy.state === CircuitState.Closed;
  }

  /**
   * Runs a call, which must not throw, and counts its result. A probe that says nothing has failed:
   * the next one will say more. Undefined: it did not run, for the circuit has just opened.
   */
  async run(call: () => Promise<T>, isProbe: boolean): Promise<T | undefined> {
    const counted = async (): Promise<Counted<T>> => {
      const result = await call();
      const verdict = this.#options.judge(result);
      if (verdict === 'nothing' && !isProbe) throw new NotCounted(result);
      return { result, isFailure: verdict !== 'well' };
    };
    this.#lets = isProbe;
    const running = this.#policy.execute(counted);
    // Decided at once: the machine asks before it first waits.
    this.#lets = false;
    try {
      return (await running).result;
    } catch (error) {
      if (error instanceof NotCounted) return error.result as T;
      if (isBrokenCircuitError(error)) return undefined;
      throw error;
    }
  }

  /** What `resume` takes, in any process. */
  save(): unknown {
    return this.#policy.toJSON();
  }

  /** Goes on as the circuit that was saved; without one, as closed. Nobody is told. */
  resume(saved?: unknown): void {
    // It goes on in the very object that it is given, and that of a record is everybody's.
    this.#policy = this.#make(structuredClone(saved));
    if (saved === undefined) this.#options.calls.clear();
  }

  #make(initialState: unknown): CircuitBreakerPolicy {
    const { calls, nowMs, onChange } = this.#options;
    // Its own clock plays no part: so long as nothing is let through, no time is enough.
    const lets = (): boolean => this.#lets;
    const wait: IBackoff<unknown> = {
      get duration() {
        return lets() ? -Infinity : Infinity;
      },
      next: () => wait,
    };
    const breaker = {
      // The window is this process's own.
      state: null,
      success(state: CircuitState): void {
        if (state === CircuitState.HalfOpen) calls.clear();
        calls.succeed(nowMs());
      },
      failure(): boolean {
        calls.fail(nowMs());
        return isTooMuch(calls, nowMs());
      },
    };
    const options = { breaker, halfOpenAfter: wait };
    const policy = circuitBreaker(
      handleWhenResult((result) => (result as Counted<T>).isFailure),
      initialState === undefined ? options : { ...options, initialState },
    );
    policy.onBreak(() => onChange('opened'));
    policy.onReset(() => onChange('closed'));
    return policy;
  }
}

interface Counted<T> {
  readonly result: T;
  readonly isFailure: boolean;
}

/** How a result passes the state machine by. */
class NotCounted extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super('says nothing of the target');
    this.result = result;
  }
}

function isTooMuch(calls: FailureWindow, nowMs: number): boolean {
  if (calls.inARow >= opensAt.inARow) return true;
  const tally = calls.tally(nowMs);
  return tally.calls >= opensAt.minCalls && tally.failures >= opensAt.failureShare * tally.calls;
}
