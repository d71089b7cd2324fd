import { feedOperations } from '../../contract/operations/feed-operations.ts';
import { openTopic, termsOf } from '../../core/push/topic-terms.ts';
import type { StreamLimits } from '../change-stream.ts';
import { type Route, route } from '../route.ts';
import { type OpenStream, streamOpener } from '../stream-opener.ts';
import { type JobStreamDeps, jobStreamRoutes } from './job-stream-handlers.ts';
import { openOne } from './open-one.ts';

/** Every stream; all of them count against one bound of what a process holds open. */
export function streamRoutes(deps: JobStreamDeps, limits: StreamLimits): Route[] {
  const open = streamOpener(deps, limits);
  return [policyStream(deps, open), runStream(deps, open), ...jobStreamRoutes(deps, open)];
}

function policyStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(feedOperations.streamPolicies, async ({ principal, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const { channel } = query;
    const seen = headers['last-event-id'] ?? query.lastEventId;
    const opened = await openTopic(deps, tenant, { topic: 'policies', channel });
    return open({
      ...termsOf(tenant, opened, deps.jobJournals),
      seen: seen === undefined ? undefined : [Number(seen)],
      untilMs: expiresAtMs,
    });
  });
}

function runStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(feedOperations.streamRun, async ({ principal, params: { run }, query, headers }) => {
    const seen = headers['last-event-id'] ?? query.lastEventId;
    return openOne(deps, open, principal, { topic: 'run', run }, seen);
  });
}
