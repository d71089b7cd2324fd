import type { BusEvent } from '../../ports/event-bus.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Json } from '../values/json.ts';

const runSubject = /^run:(\d+)$/;

/** The run that an entry is about, or null. */
export function runOfEntry({ subject }: Pick<JournalEntry, 'subject'>): number | null {
  const digits = runSubject.exec(subject)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** What listeners are told of a step of a run: `data` of events, and messages of its stream. */
export function runChangeOf(tenant: string, entry: JournalEntry): Json {
  const { index, at, actor, action, reason } = entry;
  const { lanes: _, ...state } = entry.after as { readonly [key: string]: Json };
  return { tenant, run: runOfEntry(entry), ...state, action, actor, reason, index, at };
}

/** The event of an entry about a run; none for all others. Its type is the action. */
export function runEventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  if (runOfEntry(entry) === null) return [];
  return [
    {
      specversion: '1.0',
      id: `${tenant}/${entry.index}/${entry.action}`,
      source: 'hms.rollouts',
      type: entry.action,
      subject: entry.subject,
      time: entry.at,
      datacontenttype: 'application/json',
      data: runChangeOf(tenant, entry),
    },
  ];
}
