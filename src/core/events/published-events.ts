import type { BusEvent } from '../../ports/event-bus.ts';
import { jobEventsOf } from '../jobs/job-events.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import { tenantOfJournal } from '../journal/journal-keys.ts';
import type { Json } from '../values/json.ts';
import { eventOfSubject } from './event-keys.ts';
import { isOpenType } from './event-type.ts';

/** The event that an entry publishes; none for all others. Its `data` is a message of the stream. */
export function publishedEventsOf(journal: string, entry: JournalEntry): BusEvent[] {
  const event = eventOfSubject(entry.subject);
  if (event === null || entry.action !== 'event.published') return [];
  const { type, subject, data, traceparent } = entry.after as unknown as Published;
  const { index, at, actor } = entry;
  const about = subject ?? entry.subject;
  const tenant = tenantOfJournal(journal);
  return [
    {
      specversion: '1.0',
      id: event,
      source: 'hms.events',
      type,
      subject: about,
      time: at,
      datacontenttype: 'application/json',
      ...(traceparent === undefined ? {} : { traceparent }),
      data: { tenant, event, action: type, subject: about, data, actor, index, at },
    },
  ];
}

interface Published {
  readonly type: string;
  readonly subject: string | null;
  readonly data: Json;
  readonly traceparent?: string;
}

/**
 * The events of an entry that services may subscribe to: what was published, and what jobs emitted.
 * What we tell by ourselves is not among them: a service that heard of each job would hear of the
 * jobs that tell it.
 */
export function openEventsOf(journal: string, entry: JournalEntry): BusEvent[] {
  return [...publishedEventsOf(journal, entry), ...jobEventsOf(journal, entry)].filter(({ type }) =>
    isOpenType(type),
  );
}

/** The same as messages of the stream of events, those of one type where it is named. */
export function eventMessagesOf(
  journal: string,
  entry: JournalEntry,
  type: string | undefined,
): Json[] {
  const events = openEventsOf(journal, entry).filter(
    (event) => type === undefined || event.type === type,
  );
  // Each `data` is an object, with the event's own inside.
  return events.map(({ id, data }) => Object.assign({}, data, { event: id }) as Json);
}
