import { Unavailable } from '../core/errors/app-error.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { entriesAfter } from '../core/journal/read-journal.ts';
import { shareReads } from '../core/journal/share-reads.ts';
import {
  changeStream,
  type StreamDeps,
  type StreamLimits,
  type Subscription,
} from './change-stream.ts';
import { pageLength } from './journal-reading.ts';
import type { Reply } from './reply.ts';

/** Streams that one process holds at a time; the next caller is told to come back. */
const maxStreams = 5000;

export type OpenStream = (subscription: Omit<Subscription, 'onClose'>) => Promise<Reply>;

/** Opens streams that share their reads, up to `maxStreams` at a time. Errors: `Unavailable`. */
export function streamOpener(
  given: Omit<StreamDeps, 'readAfter'>,
  limits: StreamLimits,
): OpenStream {
  const deps = { ...given, readAfter: shareReads(given, pageLength) };
  let count = 0;
  return async (subscription) => {
    if (count >= maxStreams) throw new Unavailable('Too many streams are open here.');
    const onClose = () => {
      count -= 1;
    };
    const body = await changeStream(deps, limits, { ...subscription, onClose });
    count += 1;
    return {
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // Proxies such as nginx would hold messages back.
        'x-accel-buffering': 'no',
      },
      body,
    };
  };
}

/** Whether the entry that a reader has seen last is such a one. */
export async function isEntryAt(
  deps: Pick<StreamDeps, 'records'>,
  journal: string,
  index: number,
  isSuch: (entry: JournalEntry) => boolean,
): Promise<boolean> {
  return index >= 0 && (await entriesAfter(deps, journal, index - 1, 1)).some(isSuch);
}

/**
 * For who has seen the end of what it listens to: by this a reader stops that comes again by itself
 * (https://html.spec.whatwg.org/#sse-intro).
 */
export const nothingToCome: Reply = {
  status: 204,
  headers: { 'cache-control': 'no-store' },
  body: null,
};
