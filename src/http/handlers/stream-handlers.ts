import { feedOperations } from '../../contract/operations/feed-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { Unavailable } from '../../core/errors/app-error.ts';
import { changeStream, type StreamLimits } from '../change-stream.ts';
import { type Route, route } from '../route.ts';

type StreamDeps = Pick<Deps, 'records' | 'clock' | 'signal' | 'log'>;

/** Streams that one process holds at a time; the next caller is told to come back. */
const maxStreams = 5000;

export function streamRoutes(deps: StreamDeps, limits: StreamLimits): Route[] {
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
