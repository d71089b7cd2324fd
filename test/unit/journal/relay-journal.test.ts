import * as fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import { relayCursorKey } from '../../../src/core/journal/journal-keys.ts';
import {
  relayAllJournals,
  type RelayDeps,
  relayJournal,
} from '../../../src/core/journal/relay-journal.ts';
import { getRecord } from '../../../src/core/records.ts';
import type { BusEvent } from '../../../src/ports/event-bus.ts';
import type { RecordStore, StoredRecord } from '../../../src/ports/record-store.ts';
import { type CoreDeps, coreDeps, recordingBus } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyBus } from '../../support/faulty-bus.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { interceptMethods } from '../../support/intercept-methods.ts';
import { Killed, Life } from './mortal.ts';
import { count, origin } from './notes.ts';

/** An event for each entry, and two for each third one. */
function eventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  const types = entry.index % 3 === 0 ? ['test.counted', 'test.third'] : ['test.counted'];
  return types.map((type) => ({
    specversion: '1.0',
    id: `${tenant}/${entry.index}/${type}`,
    source: 'hms.test',
    type,
    subject: entry.subject,
    time: entry.at,
    datacontenttype: 'application/json',
    data: { index: entry.index },
  }));
}

function wanted(entries: number): string[] {
  return Array.from({ length: entries }, (_, index) =>
    index % 3 === 0
      ? [`demo/${index}/test.counted`, `demo/${index}/test.third`]
      : [`demo/${index}/test.counted`],
  ).flat();
}

/** Each event where it was seen first: what is left for a listener that drops repeats. */
function firsts(events: readonly BusEvent[]): string[] {
  return [...new Set(events.map(({ id }) => id))];
}

async function cursor(records: RecordStore): Promise<number | undefined> {
  return (await getRecord({ records }, relayCursorKey('demo')))?.value.nextIndex;
}

async function counting(deps: CoreDeps, entries: number, tenant = 'demo'): Promise<void> {
  for (let i = 0; i < entries; i++) await count(deps, { ...origin, tenant });
}

/** As its caller does: again, until it is done. */
async function relayToTheEnd(deps: RelayDeps): Promise<number> {
  for (let run = 0; run < 50; run++) {
    try {
      return await relayJournal(deps, 'demo');
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
  throw new Error('It never ended.');
}

describe('relayJournal', () => {
  let deps: CoreDeps & RelayDeps;
  beforeEach(() => {
    deps = { ...coreDeps(), eventsOf };
  });

  it('hands over each event once, in order, page after page, and answers how far it is', async () => {
    await counting(deps, 120);
    expect(await relayJournal(deps, 'demo')).toBe(120);
    expect(deps.bus.events.map(({ id }) => id)).toEqual(wanted(120));
    expect(await cursor(deps.records)).toBe(120);
  });

  it('does nothing when there is nothing new', async () => {
    expect(await relayJournal(deps, 'demo')).toBe(0);
    await counting(deps, 3);
    await relayJournal(deps, 'demo');
    const { port: records, calls } = countingRecords(deps.records);
    expect(await relayJournal({ ...deps, records }, 'demo')).toBe(3);
    expect(calls.commit).toBe(0);
    expect(deps.bus.events).toHaveLength(wanted(3).length);
  });

  it('goes on from where it was', async () => {
    await counting(deps, 4);
    await relayJournal(deps, 'demo');
    await counting(deps, 3);
    expect(await relayJournal(deps, 'demo')).toBe(7);
    expect(deps.bus.events.map(({ id }) => id)).toEqual(wanted(7));
  });

  it('relays the entries that come while it runs', async () => {
    await counting(deps, 2);
    const bus = faultyBus(deps.bus, { publish: [{ after: () => counting(deps, 2) }] });
    expect(await relayJournal({ ...deps, bus }, 'demo')).toBe(4);
    expect(deps.bus.events.map(({ id }) => id)).toEqual(wanted(4));
  });

  it('passes over entries that give rise to no event', async () => {
    await counting(deps, 60);
    const bus = recordingBus();
    const upTo = await relayJournal({ ...deps, bus, eventsOf: () => [] }, 'demo');
    expect(upTo).toBe(60);
    // The recording bus refuses an empty call.
    expect(bus.events).toEqual([]);
    expect(await cursor(deps.records)).toBe(60);
  });

  it('never hands over more than the bus takes at a time', async () => {
    await counting(deps, 130);
    const twice: RelayDeps['eventsOf'] = (tenant, entry) => {
      const [event] = eventsOf(tenant, entry);
      return event === undefined ? [] : [event, { ...event, source: 'hms.again' }];
    };
    await relayJournal({ ...deps, eventsOf: twice }, 'demo');
    expect(deps.bus.events).toHaveLength(260);
  });

  it('counts and logs what it relayed', async () => {
    await counting(deps, 4);
    let relayed = 0;
    const metrics = { ...deps.metrics, eventsRelayed: (events: number) => (relayed += events) };
    await relayJournal({ ...deps, metrics }, 'demo');
    expect(relayed).toBe(wanted(4).length);
    expect(deps.log.lines).toMatchObject([{ msg: 'events relayed', journal: 'demo', upTo: 3 }]);
  });

  it('keeps to the tenant', async () => {
    await counting(deps, 2);
    await counting(deps, 5, 'other');
    await relayJournal(deps, 'demo');
    expect(deps.bus.events.map(({ id }) => id)).toEqual(wanted(2));
  });
});

describe('relayJournal, under faults', () => {
  const faults = ['not-written', 'written-but-failed'] as const;
  const entries = 120;
  let deps: CoreDeps & RelayDeps;
  beforeEach(async () => {
    deps = { ...coreDeps(), eventsOf };
    await counting(deps, entries);
  });

  it.each(faults)('repeats and never skips, any call of the bus %s', async (fault) => {
    for (let nth = 1; nth <= 3; nth++) {
      const inner = recordingBus();
      const bus = faultyBus(inner, { publish: [...Array<Fault>(nth - 1).fill('none'), fault] });
      const fresh = coreDeps();
      await counting(fresh, entries);
      await expect(relayJournal({ ...deps, ...fresh, bus }, 'demo')).rejects.toThrow(Unavailable);
      // Nothing counts as relayed that the bus did not say it took.
      expect((await cursor(fresh.records)) ?? 0).toBe((nth - 1) * 50);
      expect(await relayToTheEnd({ ...deps, ...fresh, bus })).toBe(entries);
      expect(firsts(inner.events)).toEqual(wanted(entries));
      expect(inner.events.length > wanted(entries).length).toBe(fault === 'written-but-failed');
    }
  });

  it.each(faults)('repeats and never skips, any call of the store %s', async (fault) => {
    for (let failsAt = 1; failsAt <= 11; failsAt++) {
      const bus = recordingBus();
      const fresh = coreDeps({ bus });
      await counting(fresh, entries);
      let calls = 0;
      const records = faultyRecords(fresh.records, () => (++calls === failsAt ? fault : undefined));
      expect(await relayToTheEnd({ ...deps, ...fresh, records })).toBe(entries);
      expect(calls).toBeGreaterThanOrEqual(11);
      expect(firsts(bus.events)).toEqual(wanted(entries));
      expect(await cursor(fresh.records)).toBe(entries);
    }
  });

  it.each(['before', 'after'] as const)(
    'repeats and never skips, killed %s any call',
    async (moment) => {
      for (let diesAt = 1; diesAt <= 14; diesAt++) {
        const bus = recordingBus();
        const fresh = coreDeps({ bus });
        await counting(fresh, entries);
        const life = new Life(diesAt, moment);
        const records = life.during(fresh.records, 'get', 'getMany', 'query', 'commit');
        const mortal = { ...deps, ...fresh, records, bus: life.during(bus, 'publish') };
        await expect(relayJournal(mortal, 'demo')).rejects.toBeInstanceOf(Killed);
        const relayed = (await cursor(fresh.records)) ?? 0;
        expect(firsts(bus.events).slice(0, wanted(relayed).length)).toEqual(wanted(relayed));
        expect(await relayJournal({ ...deps, ...fresh }, 'demo')).toBe(entries);
        expect(firsts(bus.events)).toEqual(wanted(entries));
      }
    },
  );

  it('does not skip what a query missed while it was committed', async () => {
    // A query that read the place of entry 7 before, and that of entry 8 after both were there.
    let queries = 0;
    const records = interceptMethods(deps.records, { query: 0 }, async (_, __, call) => {
      const found = (await call()) as StoredRecord<JournalEntry>[];
      queries += 1;
      return queries === 1 ? found.filter(({ value }) => value.index !== 7) : found;
    });
    expect(await relayToTheEnd({ ...deps, records })).toBe(entries);
    expect(deps.bus.events.map(({ id }) => id)).toEqual(wanted(entries));
  });
});

describe('relayJournal, several at once', () => {
  it('does with any faults and pauses of two relays what one alone does', async () => {
    const fault = fc.constantFrom<Fault>(
      'none',
      'none',
      { before: () => setImmediate() },
      { after: () => setImmediate() },
      'not-written',
      'written-but-failed',
    );
    const plan = fc.record({
      bus: fc.array(fault, { maxLength: 8 }),
      records: fc.array(fault, { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 3 }), async (plans) => {
        const shared = { ...coreDeps(), eventsOf };
        await counting(shared, 110);
        await Promise.all(
          plans.map(async ({ bus, records }) => {
            const own = {
              ...shared,
              bus: faultyBus(shared.bus, { publish: bus }),
              records: faultyRecords(shared.records, {
                get: records,
                query: records,
                commit: records,
              }),
            };
            await relayToTheEnd(own);
          }),
        );
        expect(firsts(shared.bus.events)).toEqual(wanted(110));
        expect(await cursor(shared.records)).toBe(110);
      }),
      { numRuns: 40 },
    );
  });

  it('does not move the cursor back when the slower one is done', async () => {
    const deps = { ...coreDeps(), eventsOf };
    await counting(deps, 60);
    const slow = faultyBus(deps.bus, {
      publish: [{ after: async () => void (await relayJournal(deps, 'demo')) }],
    });
    expect(await relayJournal({ ...deps, bus: slow }, 'demo')).toBe(60);
    expect(await cursor(deps.records)).toBe(60);
    expect(firsts(deps.bus.events)).toEqual(wanted(60));
    // The slower one repeated nothing but its own page.
    expect(deps.bus.events).toHaveLength(wanted(60).length + wanted(50).length);
  });
});

describe('relayAllJournals', () => {
  const tenants = Array.from({ length: 205 }, (_, i) => `tenant-${String(i).padStart(3, '0')}`);
  let deps: CoreDeps & RelayDeps;
  beforeEach(async () => {
    deps = { ...coreDeps(), eventsOf };
    for (const tenant of tenants) await counting(deps, 1, tenant);
  });

  it('relays every tenant, however many', async () => {
    await relayAllJournals(deps);
    expect(new Set(deps.bus.events.map(({ id }) => id.split('/')[0]))).toEqual(new Set(tenants));
  });

  it('relays the others when one fails, and then says so', async () => {
    const failing: RelayDeps['eventsOf'] = (tenant, entry) => {
      if (tenant === 'tenant-003') throw new Unavailable('not this one');
      return eventsOf(tenant, entry);
    };
    await expect(relayAllJournals({ ...deps, eventsOf: failing })).rejects.toThrow('not this one');
    const relayed = new Set(deps.bus.events.map(({ id }) => id.split('/')[0]));
    expect(relayed).toEqual(new Set(tenants.filter((tenant) => tenant !== 'tenant-003')));
    await relayAllJournals(deps);
    expect(deps.bus.events.at(-1)?.id).toBe('tenant-003/0/test.third');
  });
});
