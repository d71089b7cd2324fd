/** The value, or the reason of the signal when that aborts first: then nobody waits for the value. */
export async function abortable<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return value;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([aborted, value]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
