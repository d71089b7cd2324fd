import type { JournalSignal } from '../../ports/journal-signal.ts';

interface Waiter {
  readonly index: number;
  readonly wake: () => void;
}

/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * A JournalSignal within this process. Nobody is woken for another tenant, or for an earlier
 * index. Memory: a number for each tenant that was ever notified, and the waits under way.
 */
export function inProcessSignal(): JournalSignal {
  const latest = new Map<string, number>();
  const waiting = new Map<string, Set<Waiter>>();

  function remove(tenant: string, waiter: Waiter): void {
    const waiters = waiting.get(tenant);
    waiters?.delete(waiter);
    if (waiters?.size === 0) waiting.delete(tenant);
  }

  return {
    notify(tenant, index) {
      if (index > (latest.get(tenant) ?? -1)) latest.set(tenant, index);
      for (const waiter of waiting.get(tenant) ?? []) {
        if (waiter.index <= index) waiter.wake();
      }
    },

    wait(tenant, index, timeoutMs, signal) {
      if ((latest.get(tenant) ?? -1) >= index || signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          remove(tenant, waiter);
          resolve();
        };
        const waiter = { index, wake };
        const timer = setTimeout(wake, Math.min(timeoutMs, maxTimerMs));
        signal?.addEventListener('abort', wake, { once: true });
        const waiters = waiting.get(tenant) ?? new Set();
        waiting.set(tenant, waiters.add(waiter));
      });
    },
  };
}
