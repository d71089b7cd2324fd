import type { RecordWrite } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import { getRecord, type KeyOf } from '../records.ts';

/** What to write, decided from fresh reads. */
export interface Measurement<T> {
  /** None: nothing to do. */
  readonly writes: readonly RecordWrite[];
  /** The one of them whose value holds `commitId`: it tells whether they were written. */
  readonly mark: KeyOf<{ readonly commitId: string }>;
  readonly result: T;
}

const maxAttempts = 12;
const maxSends = 3;

/**
 * Writes what services measure: records of their own, by conditional writes, and not journaled.
 * They come at a high rate, expire, and change no reader's rule; the verdict that rests on them is
 * journaled.
 *
 * `decide` is called again, on fresh reads, when somebody else was faster. Errors: what `decide`
 * throws; `Unavailable` when the store did not answer, or after 12 lost races: nothing was
 * written then, or, in the first case, it may have been.
 */
export async function keepMeasurement<T>(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  decide: (commitId: string) => Promise<Measurement<T>>,
): Promise<T> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const commitId = deps.ids.next();
    const measurement = await decide(commitId);
    const { writes, result } = measurement;
    if (writes.length === 0 || (await send(deps, measurement, commitId))) return result;
    await deps.clock.sleep(backOffMs(attempt));
  }
  throw new Unavailable('Too many report the same thing at this moment. Report it again.');
}

/** False: somebody else was faster, and nothing was written. */
async function send(
  deps: Pick<Deps, 'records' | 'clock'>,
  { writes, mark }: Measurement<unknown>,
  commitId: string,
): Promise<boolean> {
  let unanswered: Unavailable | undefined;
  for (let sends = 1; ; sends++) {
    try {
      if ((await deps.records.commit(writes, commitId)) === 'committed') return true;
      // After a lost answer, what is in the way may be our own.
      if (unanswered === undefined) return false;
      return (await getRecord(deps, mark))?.value.commitId === commitId;
    } catch (error) {
      if (!(error instanceof Unavailable) || sends >= maxSends) throw error;
      unanswered = error;
    }
    await deps.clock.sleep(backOffMs(sends));
  }
}

/** Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). */
function backOffMs(attempt: number): number {
  return Math.random() * Math.min(500, 10 * 2 ** attempt);
}
