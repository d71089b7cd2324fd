import { feedOperations } from '../../contract/operations/feed-operations.ts';
import { Unavailable } from '../../core/errors/app-error.ts';
import type { JournalEntry } from '../../core/journal/journal-entry.ts';
import { entriesAfter } from '../../core/journal/read-journal.ts';
import { shareReads } from '../../core/journal/share-reads.ts';
import { policyChangesOf } from '../../core/policies/policy-events.ts';
import { requireRun } from '../../core/rollouts/read-situation.ts';
import { runChangeOf, runOfEntry } from '../../core/rollouts/run-events.ts';
import { isOpen } from '../../core/rollouts/run-record.ts';
import {
  changeStream,
  pageLength,
  type StreamDeps,
  type StreamLimits,
  type Subscription,
} from '../change-stream.ts';
import type { Reply } from '../reply.ts';
import { type Route, route } from '../route.ts';

/** Streams that one process holds at a time; the next caller is told to come back. */
const maxStreams = 5000;

export function streamRoutes(given: Omit<StreamDeps, 'readAfter'>, limits: StreamLimits): Route[] {
  const open = streamOpener(given, limits);
  return [
    route(feedOperations.streamPolicies, async ({ principal, query, headers }) => {
      const { tenant, expiresAtMs } = principal;
      const { channel } = query;
      return open({
        tenant,
        messagesOf: (entry) =>
          policyChangesOf(tenant, entry).filter(
            (change) => channel === undefined || change.channel === channel,
          ),
        lastIndex: indexOf(headers['last-event-id'] ?? query.lastEventId),
        untilMs: expiresAtMs,
      });
    }),
    route(feedOperations.streamRun, async ({ principal, params: { run }, query, headers }) => {
      const { tenant, expiresAtMs } = principal;
      const { value } = await requireRun(given, { tenant, run });
      const seen = indexOf(headers['last-event-id'] ?? query.lastEventId);
      const isLast = (entry: JournalEntry) =>
        entry.action === 'run.ended' && runOfEntry(entry) === run;
      const isOver = !isOpen(value.status);
      const at = seen === undefined ? [] : await entriesAfter(given, tenant, seen - 1, 1);
      if (isOver && at.some(isLast)) {
        // By this a reader stops that comes again by itself (https://html.spec.whatwg.org/#sse-intro).
        return { status: 204, headers: { 'cache-control': 'no-store' }, body: null };
      }
      return open({
        tenant,
        messagesOf: (entry) => (runOfEntry(entry) === run ? [runChangeOf(tenant, entry)] : []),
        isLast,
        isOver,
        lastIndex: Math.max(seen ?? -1, value.firstIndex - 1),
        untilMs: expiresAtMs,
      });
    }),
  ];
}

function indexOf(eventId: string | undefined): number | undefined {
  return eventId === undefined ? undefined : Number(eventId);
}

/** Opens streams that share their reads, up to `maxStreams` at a time. Errors: `Unavailable`. */
function streamOpener(given: Omit<StreamDeps, 'readAfter'>, limits: StreamLimits) {
  const deps = { ...given, readAfter: shareReads(given, pageLength) };
  let count = 0;
  return async (subscription: Omit<Subscription, 'onClose'>): Promise<Reply> => {
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
