import type { BusEvent } from '../../ports/event-bus.ts';
import type { Deps } from '../deps.ts';
import { getRecord } from '../records.ts';
import type { JournalEntry, RelayCursor } from './journal-entry.ts';
import { journalsPartition, relayCursorKey } from './journal-keys.ts';
import { entriesAfter } from './read-journal.ts';

export interface RelayDeps extends Pick<Deps, 'records' | 'bus' | 'ids' | 'metrics' | 'log'> {
  /** The events that an entry gives rise to, in order; none for most. */
  readonly eventsOf: (journal: string, entry: JournalEntry) => readonly BusEvent[];
  /** What else an entry sets off, in order; it may be called again for the same one. */
  readonly react?: (journal: string, entry: JournalEntry) => Promise<void>;
  /** Told once of each page, by the index of its last entry; it may be told again of the same one. */
  readonly wake?: (journal: string, index: number) => Promise<void>;
}

const pageLength = 50;
const maxPages = 1000;
/** As the bus takes them: one entry may have several. */
const maxEvents = 100;

/**
 * Hands every entry of the journal that has not been relayed yet to the event bus, in
 * order, and answers the index up to which all of them have been.
 *
 * The cursor moves only after the bus has accepted a page: a relay that dies in between, or two
 * at once, repeat events and never skip one. Errors: `Unavailable`; the next run goes on.
 */
export async function relayJournal(deps: RelayDeps, journal: string): Promise<number> {
  let cursor = await readCursor(deps, journal);
  for (let page = 0; page < maxPages; page++) {
    const reached = await relayPage(deps, journal, cursor.nextIndex);
    if (reached === cursor.nextIndex) break;
    cursor = await moveCursor(deps, journal, cursor, reached);
  }
  return cursor.nextIndex;
}

/** The stored cursor, as it was read. */
export interface ReadCursor extends RelayCursor {
  readonly rev: number | undefined;
}

export async function readCursor(
  deps: Pick<Deps, 'records'>,
  journal: string,
): Promise<ReadCursor> {
  const found = await getRecord(deps, relayCursorKey(journal));
  return { nextIndex: found?.value.nextIndex ?? 0, rev: found?.rev };
}

/** Relays the next entries, from an index on, and answers where to go on. Moves no cursor. */
export async function relayPage(
  deps: RelayDeps,
  journal: string,
  nextIndex: number,
): Promise<number> {
  const entries = await entriesAfter(deps, journal, nextIndex - 1, pageLength);
  const last = entries.at(-1);
  if (last === undefined) return nextIndex;
  const events = entries.flatMap((entry) => deps.eventsOf(journal, entry));
  for (let at = 0; at < events.length; at += maxEvents) {
    await deps.bus.publish(events.slice(at, at + maxEvents));
  }
  for (const entry of entries) await deps.react?.(journal, entry);
  await deps.wake?.(journal, last.index);
  if (events.length > 0) {
    deps.metrics.eventsRelayed(events.length);
    deps.log.info('events relayed', { journal, upTo: last.index, events: events.map(nameOf) });
  }
  return last.index + 1;
}

/** Moves the cursor, unless another relay has moved it meanwhile. Answers it as it stands then. */
export async function moveCursor(
  deps: Pick<Deps, 'records' | 'ids'>,
  journal: string,
  { rev }: ReadCursor,
  nextIndex: number,
): Promise<ReadCursor> {
  const value: RelayCursor = { nextIndex };
  await deps.records.commit(
    [{ kind: 'put', key: relayCursorKey(journal), value, expect: rev ?? 'absent' }],
    deps.ids.next(),
  );
  return readCursor(deps, journal);
}

function nameOf(event: BusEvent): string {
  return `${event.type} ${event.id}`;
}

/** Journals relayed at once: each is a few calls that wait for one another. */
const maxAtOnce = 8;

/** Relays these. One whose relay fails does not keep the others; its error is thrown when all are done. */
export async function relayJournals(deps: RelayDeps, journals: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  const left = journals.values();
  const worker = async (): Promise<void> => {
    for (const journal of left) {
      await relayJournal(deps, journal).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: maxAtOnce }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Relays every journal: after a start, and as a sweep for what a trigger missed. Errors: as above. */
export async function relayAllJournals(deps: RelayDeps): Promise<void> {
  const journals: string[] = [];
  let after: string | undefined;
  for (;;) {
    const listed = await deps.records.query({ partition: journalsPartition, after, limit: 100 });
    journals.push(...listed.map(({ key }) => key.sort));
    after = journals.at(-1);
    if (listed.length < 100) break;
  }
  await relayJournals(deps, journals);
}
