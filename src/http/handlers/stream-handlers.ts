import { feedOperations } from '../../contract/operations/feed-operations.ts';
import type { JournalEntry } from '../../core/journal/journal-entry.ts';
import { policyChangesOf } from '../../core/policies/policy-events.ts';
import { requireRun } from '../../core/rollouts/read-situation.ts';
import { runChangeOf, runOfEntry } from '../../core/rollouts/run-events.ts';
import { isOpen } from '../../core/rollouts/run-record.ts';
import type { StreamLimits } from '../change-stream.ts';
import { type Route, route } from '../route.ts';
import { isEntryAt, nothingToCome, type OpenStream, streamOpener } from '../stream-opener.ts';
import { type JobStreamDeps, jobStreamRoutes } from './job-stream-handlers.ts';

/** Every stream; all of them count against one bound of what a process holds open. */
export function streamRoutes(deps: JobStreamDeps, limits: StreamLimits): Route[] {
  const open = streamOpener(deps, limits);
  return [policyStream(open), runStream(deps, open), ...jobStreamRoutes(deps, open)];
}

function policyStream(open: OpenStream): Route {
  return route(feedOperations.streamPolicies, async ({ principal, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const { channel } = query;
    const seen = headers['last-event-id'] ?? query.lastEventId;
    return open({
      journals: [tenant],
      messagesOf: (entry) =>
        policyChangesOf(tenant, entry).filter(
          (change) => channel === undefined || change.channel === channel,
        ),
      seen: seen === undefined ? undefined : [Number(seen)],
      untilMs: expiresAtMs,
    });
  });
}

function runStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(feedOperations.streamRun, async ({ principal, params: { run }, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const { value } = await requireRun(deps, { tenant, run });
    const seen = Number(headers['last-event-id'] ?? query.lastEventId ?? -1);
    const isLast = (entry: JournalEntry) =>
      entry.action === 'run.ended' && runOfEntry(entry) === run;
    const isOver = !isOpen(value.status);
    if (isOver && (await isEntryAt(deps, tenant, seen, isLast))) return nothingToCome;
    return open({
      journals: [tenant],
      messagesOf: (entry) => (runOfEntry(entry) === run ? [runChangeOf(tenant, entry)] : []),
      isLast,
      isOver,
      seen: [Math.max(seen, value.firstIndex - 1)],
      untilMs: expiresAtMs,
    });
  });
}
