import { eventOperations } from '../../contract/operations/event-operations.ts';
import { jobOperations } from '../../contract/operations/job-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import { eventMessagesOf } from '../../core/events/published-events.ts';
import { requireJob } from '../../core/jobs/change-job.ts';
import { jobMessagesOf } from '../../core/jobs/job-events.ts';
import { jobJournalsOf, jobSubject, journalOfJob } from '../../core/jobs/job-keys.ts';
import { isOpenJob, type JobRecord } from '../../core/jobs/job-record.ts';
import type { JournalEntry } from '../../core/journal/journal-entry.ts';
import type { StreamDeps } from '../change-stream.ts';
import { type Route, route } from '../route.ts';
import { isEntryAt, nothingToCome, type OpenStream } from '../stream-opener.ts';

export type JobStreamDeps = Omit<StreamDeps, 'readAfter'> & Pick<Deps, 'jobJournals'>;

/** What the journals of jobs tell: one job as it goes, or all of a tenant, or the events alone. */
export function jobStreamRoutes(deps: JobStreamDeps, open: OpenStream): Route[] {
  return [oneStream(deps, open), allStream(deps, open), eventStream(deps, open)];
}

function oneStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(jobOperations.streamJob, async ({ principal, params, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const ref = { tenant, id: params.job };
    const { value: job } = await requireJob(deps, ref);
    const journal = journalOfJob(ref, deps.jobJournals);
    const seen = Number(headers['last-event-id'] ?? query.lastEventId ?? -1);
    const isLast = (entry: JournalEntry) => isEndOf(job, entry);
    const isOver = !isOpenJob(job);
    if (isOver && (await isEntryAt(deps, journal, seen, isLast))) return nothingToCome;
    return open({
      journals: [journal],
      messagesOf: (entry) => (isAbout(job, entry) ? jobMessagesOf(journal, entry) : []),
      isLast,
      isOver,
      seen: [Math.max(seen, job.firstIndex - 1)],
      untilMs: expiresAtMs,
    });
  });
}

function isAbout({ id }: JobRecord, { subject }: JournalEntry): boolean {
  return subject === jobSubject(id);
}

const finalActions: ReadonlySet<string> = new Set([
  'job.completed',
  'job.rejected',
  'job.cancelled',
]);

/** Whether a job ends with this entry, as far as its record tells: one that was dead may go on. */
function isEndOf(job: JobRecord, entry: JournalEntry): boolean {
  if (!isAbout(job, entry)) return false;
  if (entry.action !== 'job.dead') return finalActions.has(entry.action);
  const lastStep = job.history.at(-1);
  return lastStep === undefined || entry.at >= lastStep.at;
}

function allStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(jobOperations.streamJobs, async ({ principal, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const { type } = query;
    const { 'last-event-id': header = query.lastEventId } = headers;
    return open({
      journals: jobJournalsOf(tenant, deps.jobJournals),
      messagesOf: (entry, journal) =>
        type === undefined || typeOf(entry) === type ? jobMessagesOf(journal, entry) : [],
      seen: header === undefined ? undefined : positionsOf(header, deps.jobJournals),
      untilMs: expiresAtMs,
    });
  });
}

function eventStream(deps: JobStreamDeps, open: OpenStream): Route {
  return route(eventOperations.streamEvents, async ({ principal, query, headers }) => {
    const { tenant, expiresAtMs } = principal;
    const { 'last-event-id': header = query.lastEventId } = headers;
    return open({
      journals: jobJournalsOf(tenant, deps.jobJournals),
      messagesOf: (entry, journal) => eventMessagesOf(journal, entry, query.type),
      seen: header === undefined ? undefined : positionsOf(header, deps.jobJournals),
      untilMs: expiresAtMs,
    });
  });
}

/** The type of the job that an entry is about. */
function typeOf({ after }: JournalEntry): unknown {
  return typeof after === 'object' && after !== null && 'type' in after ? after.type : undefined;
}

/** The index in each journal; `-1` alone is the beginning of all. */
function positionsOf(eventId: string, jobJournals: number): readonly number[] {
  if (eventId === '-1') return Array.from({ length: jobJournals }, () => -1);
  const positions = eventId.split('.').map(Number);
  if (positions.length === jobJournals) return positions;
  const detail = `name ${jobJournals} of them, as the id of a message does, or -1`;
  throw new InvalidRequest('The position is not one in the journals of jobs.', [
    { pointer: 'header:last-event-id', detail },
  ]);
}
