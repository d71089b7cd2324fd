import { setTimeout } from 'node:timers/promises';
import { Unavailable } from '../../src/core/errors/app-error.ts';
import { interceptMethods } from './intercept-methods.ts';

/**
 * What becomes of one call:
 * `not-written`: it throws `Unavailable`, and nothing happened;
 * `written-but-failed`: it is done, then throws `Unavailable`;
 * `conflict`: a commit answers `'conflict'`, and nothing happened;
 * an object: it is done, with something awaited before it begins or before its answer is given.
 */
export type Fault =
  | 'none'
  | 'not-written'
  | 'written-but-failed'
  | 'conflict'
  | { readonly before?: () => Promise<unknown>; readonly after?: () => Promise<unknown> };

interface FaultyCall<Method> {
  readonly method: Method;
  readonly args: readonly unknown[];
  /** 1 for the first call of this method. */
  readonly nth: number;
}

/** A fault for each call of a method in turn, or a function that decides; where it says nothing: none. */
export type Faults<Method extends string> =
  | { readonly [M in Method]?: readonly Fault[] }
  | ((call: FaultyCall<Method>) => Fault | undefined);

/** A fault that delays a call. */
export function slow(ms: number): Fault {
  return { before: () => setTimeout(ms) };
}

/** The same port, with faults in the calls of these methods. All else passes through. */
export function injectFaults<Port extends object, Method extends string & keyof Port>(
  port: Port,
  methods: Readonly<Record<Method, true>>,
  faults: Faults<Method>,
): Port {
  const calls = new Map<PropertyKey, number>();

  async function run(method: Method, args: readonly unknown[], call: () => unknown) {
    const nth = (calls.get(method) ?? 0) + 1;
    calls.set(method, nth);
    const fault =
      typeof faults === 'function' ? faults({ method, args, nth }) : faults[method]?.[nth - 1];
    return await withFault(fault ?? 'none', `${method} #${nth}`, call);
  }

  return interceptMethods(port, methods, run);
}

async function withFault(fault: Fault, name: string, call: () => unknown): Promise<unknown> {
  if (fault === 'not-written') throw new Unavailable(`${name} was not done (injected)`);
  if (fault === 'conflict') return 'conflict';
  // No await where there is nothing to wait for: the call begins when its caller makes it.
  if (typeof fault === 'object' && fault.before !== undefined) await fault.before();
  const answer = await call();
  if (fault === 'written-but-failed') throw new Unavailable(`${name} was done (injected)`);
  if (typeof fault === 'object') await fault.after?.();
  return answer;
}
