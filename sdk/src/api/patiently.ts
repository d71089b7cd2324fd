import { retryDelayMs, sleep } from './delays.ts';
import { HmsError } from './errors.ts';

const firstDelayMs = 1000;

/** Calls again, for as long as that may help: for who waits for something anyway. Errors: all others. */
export async function patiently<T>(
  call: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof HmsError) || !error.retryable) throw error;
      await sleep(retryDelayMs(error, tries, firstDelayMs), signal);
    }
  }
}
