import { ProblemError } from './errors.ts';

const maxDelayMs = 30_000;
/** The longest that a service may ask to wait: it may be wrong. */
const maxAskedMs = 5 * 60_000;

/** Before the try after `tries` that failed: doubled each time, half of it at random, 30 s at the most. */
export function backOffMs(tries: number, baseMs: number): number {
  const most = Math.min(baseMs * 2 ** Math.min(tries - 1, 20), maxDelayMs);
  return most * (0.5 + Math.random() / 2);
}

/** What the service asks to wait, five minutes at the most; 0 when it asks for nothing. */
export function askedMs(error: unknown): number {
  const asked = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(asked, maxAskedMs);
}

/** `backOffMs`, after what the service asks to wait: not all at the moment that they were told to come back. */
export function retryDelayMs(error: unknown, tries: number, baseMs: number): number {
  return askedMs(error) + backOffMs(tries, baseMs);
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
