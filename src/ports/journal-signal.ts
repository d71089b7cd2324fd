/**
 * Tells those who wait that a journal has grown. A hint, not the truth: who is woken
 * reads the journal, and who is never woken finds out when its wait times out.
 */
export interface JournalSignal {
  /** The journal now has an entry at `index`. Never throws, never waits. */
  notify(journal: string, index: number): void;
  /**
   * Resolves when an entry at `index` or later may exist, after `timeoutMs`, or when the signal
   * aborts; never rejects. Where the writer is another process, it resolves within the adapter's
   * interval; else an entry notified before the call resolves it at once.
   */
  wait(journal: string, index: number, timeoutMs: number, signal?: AbortSignal): Promise<void>;
}
