import { vi } from 'vitest';

const maxTurns = 5000;
const steps = 20;
const aByte = new Uint8Array(1);

/** Timers and clocks stand still until the test moves them; what goes on elsewhere does not. */
export function stopTime(now = '2026-11-20T18:00:00Z'): void {
  vi.useFakeTimers({
    now: new Date(now),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
}

/** Lets everything come to rest that needs no time to pass. */
export async function settle(turns = 10): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    // Digests are made in other threads: when this one is done, so are those that were asked for before.
    await crypto.subtle.digest('SHA-256', aByte);
  }
}

/** Waits for something that needs no time to pass. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < maxTurns && !isSo(); turn++) await settle(1);
  if (!isSo()) throw new Error(`It did not come to be: ${isSo.toString()}`);
}

/** Lets time pass, a bit at a time, and what happens then come to rest. */
export async function pass(ms: number): Promise<void> {
  const stepMs = Math.max(1, ms / steps);
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    await vi.advanceTimersByTimeAsync(Math.min(stepMs, ms - passedMs));
    await settle(5);
  }
}
