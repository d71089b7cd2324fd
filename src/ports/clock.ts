export interface Clock {
  /** Unix time in ms, a whole number. It may stand still or step back. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
