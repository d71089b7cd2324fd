import { setImmediate } from 'node:timers/promises';
import { vi } from 'vitest';

const maxPassedMs = 30 * 60_000;
/** What is under way may take some turns without any time. */
const turns = 5;

/** Time that only passes when a test says so, of timers and clocks alike. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
}

/** Lets time pass, and what happens in it. */
export async function passTime(ms: number, stepMs = 100): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    await vi.advanceTimersByTimeAsync(Math.min(stepMs, ms - passedMs));
    for (let turn = 0; turn < turns; turn++) await setImmediate();
  }
}

/** Lets time pass until a promise is settled, for half an hour at the most. */
export async function whileTimePasses<T>(promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const settle = () => void (state.isSettled = true);
  promise.then(settle, settle);
  for (let passedMs = 0; passedMs < maxPassedMs; passedMs += 100) {
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    if (state.isSettled) return promise;
    await passTime(100);
  }
  throw new Error(`It has not come to an end in ${maxPassedMs} ms.`);
}
