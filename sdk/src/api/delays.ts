const maxDelayMs = 30_000;

/** Before the try after `tries` that failed: doubled each time, with full jitter, 30 s at the most. */
export function backOffMs(tries: number, baseMs: number): number {
  const most = Math.min(baseMs * 2 ** Math.min(tries - 1, 20), maxDelayMs);
  return most * (0.5 + Math.random() / 2);
}

/** A `Retry-After` header (RFC 9110, 10.2.3), seconds or a date; undefined when there is none. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Resolves after `ms`. Rejects with the signal's reason when it aborts before. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  let cancel: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      cancel = () => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', cancel, { once: true });
    });
  } finally {
    if (cancel !== undefined) signal?.removeEventListener('abort', cancel);
  }
}
