import type { BusEvent } from '../../ports/event-bus.ts';
import type { Deps } from '../deps.ts';
import { getRecord } from '../records.ts';
import type { JournalEntry, RelayCursor } from './journal-entry.ts';
import { relayCursorKey, tenantsPartition } from './journal-keys.ts';
import { entriesAfter } from './read-journal.ts';

export interface RelayDeps extends Pick<Deps, 'records' | 'bus' | 'ids' | 'metrics' | 'log'> {
  /** The events that an entry gives rise to, in order; none for most. */
  readonly eventsOf: (tenant: string, entry: JournalEntry) => readonly BusEvent[];
  /** What else an entry sets off, in order; it may be called again for the same one. */
  readonly react?: (tenant: string, entry: JournalEntry) => Promise<void>;
}

const pageLength = 50;
const maxPages = 1000;
/** As the bus takes them: one entry may have several. */
const maxEvents = 100;

/**
 * Hands every journal entry of the tenant that has not been relayed yet to the event bus, in
 * order, and answers the index up to which all of them have been.
 *
 * The cursor moves only after the bus has accepted a page: a relay that dies in between, or two
 * at once, repeat events and never skip one. Errors: `Unavailable`; the next run goes on.
 */
export async function relayJournal(deps: RelayDeps, tenant: string): Promise<number> {
  let cursor = await getRecord(deps, relayCursorKey(tenant));
  let nextIndex = cursor?.value.nextIndex ?? 0;
  for (let page = 0; page < maxPages; page++) {
    const entries = await entriesAfter(deps, tenant, nextIndex - 1, pageLength);
    const last = entries.at(-1);
    if (last === undefined) return nextIndex;
    const events = entries.flatMap((entry) => deps.eventsOf(tenant, entry));
    for (let at = 0; at < events.length; at += maxEvents) {
      await deps.bus.publish(events.slice(at, at + maxEvents));
    }
    for (const entry of entries) await deps.react?.(tenant, entry);
    deps.metrics.eventsRelayed(events.length);
    deps.log.info('events relayed', { tenant, upTo: last.index, events: events.map(nameOf) });
    const value: RelayCursor = { nextIndex: last.index + 1 };
    const expect = cursor?.rev ?? 'absent';
    await deps.records.commit(
      [{ kind: 'put', key: relayCursorKey(tenant), value, expect }],
      deps.ids.next(),
    );
    // Whoever moved it, us or another relay: go on from where it stands.
    cursor = await getRecord(deps, relayCursorKey(tenant));
    nextIndex = cursor?.value.nextIndex ?? 0;
  }
  return nextIndex;
}

function nameOf(event: BusEvent): string {
  return `${event.type} ${event.id}`;
}

/**
 * Relays every tenant's journal: after a start, and as a sweep for what a trigger missed. A tenant
 * whose relay fails does not keep the others; its error is thrown when all are done.
 */
export async function relayAllJournals(deps: RelayDeps): Promise<void> {
  const failures: unknown[] = [];
  let after: string | undefined;
  for (;;) {
    const tenants = await deps.records.query({ partition: tenantsPartition, after, limit: 100 });
    for (const { key } of tenants) {
      await relayJournal(deps, key.sort).catch((error: unknown) => failures.push(error));
    }
    after = tenants.at(-1)?.key.sort;
    if (tenants.length < 100) break;
  }
  if (failures.length > 0) throw failures[0];
}
