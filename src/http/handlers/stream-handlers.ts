import { feedOperations } from '../../contract/operations/feed-operations.ts';
import { Unavailable } from '../../core/errors/app-error.ts';
import { shareReads } from '../../core/journal/share-reads.ts';
import { changeStream, pageLength, type StreamDeps, type StreamLimits } from '../change-stream.ts';
import { type Route, route } from '../route.ts';

/** Streams that one process holds at a time; the next caller is told to come back. */
const maxStreams = 5000;

export function streamRoutes(given: Omit<StreamDeps, 'readAfter'>, limits: StreamLimits): Route[] {
  const deps = { ...given, readAfter: shareReads(given, pageLength) };
  let open = 0;
  return [
    route(feedOperations.streamPolicies, async ({ principal, query, headers }) => {
      if (open >= maxStreams) throw new Unavailable('Too many streams are open here.');
      const lastEventId = headers['last-event-id'] ?? query.lastEventId;
      const body = await changeStream(deps, limits, {
        tenant: principal.tenant,
        channel: query.channel,
        lastIndex: lastEventId === undefined ? undefined : Number(lastEventId),
        untilMs: principal.expiresAtMs,
        onClose: () => {
          open -= 1;
        },
      });
      open += 1;
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
    }),
  ];
}
