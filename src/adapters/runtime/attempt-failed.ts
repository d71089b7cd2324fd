import type { Attempt } from '../../ports/partner-transport.ts';

/** The longest that an attempt may take. */
export const attemptTimeoutMs = 20_000;

export function failed(detail: string): Attempt {
  return { outcome: 'failed', detail };
}

/**
 * An attempt that broke off, named by its error code alone (`ECONNREFUSED`, `CERT_HAS_EXPIRED`): a
 * message may hold what the other side sent.
 */
export function failedBy(what: string, error: unknown): Attempt {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const isName = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,59}$/.test(code);
  return failed(isName ? `${what} (${code}).` : `${what}.`);
}

/**
 * The work; or, when it takes longer, what `late` says then. In any case `signal` aborts in the
 * end: whatever is left of the work must stop.
 */
export async function withinTime(
  timeoutMs: number,
  late: () => Attempt,
  work: (signal: AbortSignal) => Promise<Attempt>,
): Promise<Attempt> {
  const over = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  const timer = setTimeout(() => {
    resolve(late());
    over.abort();
  }, timeoutMs);
  try {
    return await Promise.race([work(over.signal), promise]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
