import type { BusEvent } from '../ports/event-bus.ts';
import { publishedEventsOf } from './events/published-events.ts';
import { jobEventsOf } from './jobs/job-events.ts';
import type { JournalEntry } from './journal/journal-entry.ts';
import { policyEventsOf } from './policies/policy-events.ts';
import { serviceEventsOf } from './registry/service-events.ts';
import { runEventsOf } from './rollouts/run-events.ts';

/** Every event that an entry of a journal gives rise to, in order. */
export function eventsOf(journal: string, entry: JournalEntry): BusEvent[] {
  return [
    ...policyEventsOf(journal, entry),
    ...runEventsOf(journal, entry),
    ...jobEventsOf(journal, entry),
    ...publishedEventsOf(journal, entry),
    ...serviceEventsOf(journal, entry),
  ];
}
