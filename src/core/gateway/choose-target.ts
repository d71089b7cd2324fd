import { gatewayLimits } from './gateway-limits.ts';
import { pickTarget } from './pick-target.ts';
import type { KnownTarget } from './service-state.ts';

export interface Chosen {
  readonly target: KnownTarget;
  /** The call finds out whether the target's circuit can close. */
  readonly isProbe: boolean;
}

export interface ChooseOptions {
  /** The URLs of the targets that are up. */
  readonly up: ReadonlySet<string>;
  readonly tried: ReadonlySet<string>;
  /** Whether it may go once more to where it was tried in vain. */
  readonly mayRepeat: boolean;
  /** How long the call may take. */
  readonly timeoutMs: number;
  readonly nowMs: number;
}

/**
 * Where to send a call, as `pickTarget` says. A probe, once it is ours to make: whoever is told so
 * must send it.
 */
export async function chooseTarget(
  targets: readonly KnownTarget[],
  { up, tried, mayRepeat, timeoutMs, nowMs }: ChooseOptions,
): Promise<Chosen | undefined> {
  let left = targets.filter(
    ({ url, state }) =>
      state.inFlight < gatewayLimits.maxTargetCalls && (mayRepeat || !tried.has(url)),
  );
  for (;;) {
    const candidates = left.map((target) => {
      const { url, role, state } = target;
      return {
        url,
        role,
        isUp: up.has(url),
        circuit: state.circuit.standing(),
        isEjected: state.ejection.isOn(nowMs),
        inFlight: state.inFlight,
        target,
      };
    });
    const picked = pickTarget(candidates, tried);
    if (picked === undefined) return undefined;
    const { target, circuit } = picked;
    if (circuit === 'closed') return { target, isProbe: false };
    if (await target.state.circuit.takeProbe(timeoutMs)) return { target, isProbe: true };
    left = left.filter((each) => each !== target);
  }
}
