import { interceptMethods } from './intercept-methods.ts';

export interface Counted<Port, Method extends string> {
  readonly port: Port;
  /** How often each method was called since the last `reset`. */
  readonly calls: Readonly<Record<Method, number>>;
  readonly reset: () => void;
}

/** The same port, counting the calls of the methods that `zero` names. */
export function countCalls<Port extends object, Method extends string & keyof Port>(
  port: Port,
  zero: Readonly<Record<Method, 0>>,
): Counted<Port, Method> {
  const calls: Record<Method, number> = { ...zero };
  const counting = interceptMethods(port, zero, (method, _, call) => {
    calls[method]++;
    return call();
  });
  return { port: counting, calls, reset: () => void Object.assign(calls, zero) };
}
