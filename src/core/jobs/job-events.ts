import type { BusEvent } from '../../ports/event-bus.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import { tenantOfJournal } from '../journal/journal-keys.ts';
import type { Json } from '../values/json.ts';
import type { JobEmission } from './job-transaction.ts';
import { jobOfSubject } from './job-keys.ts';

/** The steps that are events; the others are messages of the stream alone. */
const told: ReadonlySet<string> = new Set([
  'job.completed',
  'job.rejected',
  'job.dead',
  'job.cancelled',
]);

/**
 * What listeners are told of a step of a job: its state, then what its completion emitted. They are
 * the messages of its stream, and each is `data` of an event, if it is one.
 */
export function jobMessagesOf(journal: string, entry: JournalEntry): Json[] {
  return messagesOf(journal, entry).map(({ data }) => data);
}

/** The events of an entry about a job: of its end, and of all that it emitted. */
export function jobEventsOf(journal: string, entry: JournalEntry): BusEvent[] {
  return messagesOf(journal, entry)
    .filter(({ type, emitted }) => emitted || told.has(type))
    .map(({ type, subject, data }, place) => ({
      specversion: '1.0',
      id: `${journal}/${entry.index}/${type}${place === 0 ? '' : `/${place}`}`,
      source: 'hms.jobs',
      type,
      subject,
      time: entry.at,
      datacontenttype: 'application/json',
      data,
    }));
}

interface JobMessage {
  readonly type: string;
  readonly subject: string;
  readonly emitted: boolean;
  readonly data: Json;
}

function messagesOf(journal: string, entry: JournalEntry): JobMessage[] {
  const job = jobOfSubject(entry.subject);
  if (job === null) return [];
  const { index, at, actor, action, reason, subject } = entry;
  const { events, ...state } = entry.after as { readonly [key: string]: Json };
  const tenant = tenantOfJournal(journal);
  const emissions = (events ?? []) as unknown as readonly JobEmission[];
  return [
    {
      type: action,
      subject,
      emitted: false,
      data: { tenant, job, ...state, action, actor, reason, index, at },
    },
    ...emissions.map(({ type, subject: about, data }) => ({
      type,
      subject: about,
      emitted: true,
      data: { tenant, job, action: type, subject: about, data, index, at },
    })),
  ];
}
