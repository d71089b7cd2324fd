import type { Clock } from '../../ports/clock.ts';

/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),

  async sleep(ms, signal) {
    for (let leftMs = ms; leftMs > 0; leftMs -= maxTimerMs) {
      if (signal?.aborted) return;
      await oneTimer(Math.min(leftMs, maxTimerMs), signal);
    }
  },
};

async function oneTimer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Node cuts off fractions, and a sleeper must not wake before its time.
  const timer = setTimeout(resolve, Math.ceil(ms));
  const wake = (): void => resolve();
  signal?.addEventListener('abort', wake, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', wake);
}
