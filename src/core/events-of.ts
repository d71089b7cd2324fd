import type { BusEvent } from '../ports/event-bus.ts';
import type { JournalEntry } from './journal/journal-entry.ts';
import { policyEventsOf } from './policies/policy-events.ts';
import { runEventsOf } from './rollouts/run-events.ts';

/** Every event that a journal entry gives rise to, in order. */
export function eventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  return [...policyEventsOf(tenant, entry), ...runEventsOf(tenant, entry)];
}
