import { eventOperations } from '../../contract/operations/event-operations.ts';
import { jobOperations } from '../../contract/operations/job-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import type { Principal } from '../../core/identity/principal.ts';
import { parsePositions, type Positions } from '../../core/push/positions.ts';
import type { PushTopic } from '../../core/push/push-frames.ts';
import { openTopic, termsOf } from '../../core/push/topic-terms.ts';
import type { StreamDeps } from '../change-stream.ts';
import type { Reply } from '../reply.ts';
import { type Route, route } from '../route.ts';
import type { OpenStream } from '../stream-opener.ts';
import { openOne } from './open-one.ts';

export type JobStreamDeps = Omit<StreamDeps, 'readAfter'> & Pick<Deps, 'jobJournals'>;

/** What the journals of jobs tell: one job as it goes, or all of a tenant, or the events alone. */
export function jobStreamRoutes(deps: JobStreamDeps, open: OpenStream): Route[] {
  return [oneStream(deps, open), allStream(deps, open), eventStream(deps, open)];
}

function oneStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(jobOperations.streamJob, async ({ principal, params: { job }, query, headers }) => {
    const seen = headers['last-event-id'] ?? query.lastEventId;
    return openOne(deps, open, principal, { topic: 'job', job }, seen);
  });
}

function allStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(jobOperations.streamJobs, async ({ principal, query, headers }) => {
    const seen = headers['last-event-id'] ?? query.lastEventId;
    return openAll(deps, open, principal, { topic: 'jobs', jobType: query.type }, seen);
  });
}

function eventStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(eventOperations.streamEvents, async ({ principal, query, headers }) => {
    const seen = headers['last-event-id'] ?? query.lastEventId;
    return openAll(deps, open, principal, { topic: 'events', eventType: query.type }, seen);
  });
}

/** Every job journal of the tenant at once. */
async function openAll(
  deps: JobStreamDeps,
  open: OpenStream,
  { tenant, expiresAtMs }: Principal,
  topic: PushTopic,
  lastEventId: string | undefined,
): Promise<Reply> {
  const terms = termsOf(tenant, await openTopic(deps, tenant, topic), deps.jobJournals);
  const seen = lastEventId === undefined ? undefined : positionsOf(lastEventId, deps.jobJournals);
  return open({ ...terms, seen, untilMs: expiresAtMs });
}

function positionsOf(eventId: string, jobJournals: number): Positions {
  const positions = parsePositions(eventId, jobJournals);
  if (positions !== null) return positions;
  const detail = `name ${jobJournals} of them, as the id of a message does, or -1`;
  throw new InvalidRequest('The position is not one in the journals of jobs.', [
    { pointer: 'header:last-event-id', detail },
  ]);
}
