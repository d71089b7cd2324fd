import type { Clock } from '../../ports/clock.ts';
import type { JournalSignal } from '../../ports/journal-signal.ts';

export interface PollingSignalOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** How late a waiter may learn of an entry. Default 1000. */
  readonly intervalMs?: number;
}

/**
 * A `JournalSignal` where nobody can tell: the writer runs in another process than those who wait.
 * After every interval there may be an entry, so `wait` returns, and the waiter reads the journal.
 */
export function pollingSignal({ clock, intervalMs = 1000 }: PollingSignalOptions): JournalSignal {
  return {
    notify() {},
    wait(_tenant, _index, timeoutMs, signal) {
      return clock.sleep(Math.min(intervalMs, timeoutMs), signal);
    },
  };
}
