import type { Attempt } from '../../ports/partner-transport.ts';

/** The longest that an attempt may take. */
export const attemptTimeoutMs = 20_000;

export function failed(detail: string): Attempt {
  return { outcome: 'failed', detail };
}

/** An attempt that broke off. */
export function failedBy(what: string, error: unknown): Attempt {
  return failed(`${brokenBy(what, error)}.`);
}

/**
 * What broke off, named by its error code alone (`ECONNREFUSED`, `CERT_HAS_EXPIRED`): a message may
 * hold what the other side sent.
 */
export function brokenBy(what: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const isName = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,59}$/.test(code);
  return isName ? `${what} (${code})` : what;
}

/**
 * The work; or, when it takes longer or `stop` comes, what `late` says then. In any case `signal`
 * aborts in the end: whatever is left of the work must stop.
 */
export async function withinTime<T>(
  timeoutMs: number,
  late: () => T,
  work: (signal: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const { promise, resolve } = Promise.withResolvers<T>();
  const end = (): void => {
    resolve(late());
    over.abort();
  };
  const timer = setTimeout(end, timeoutMs);
  stop?.addEventListener('abort', end, { once: true });
  if (stop?.aborted === true) end();
  try {
    return await Promise.race([work(over.signal), promise]);
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener('abort', end);
    over.abort();
  }
}
