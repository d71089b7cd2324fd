import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import {
  entriesAfter,
  type JournalFilter,
  journalLength,
  searchJournal,
} from '../../../src/core/journal/read-journal.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { count, journal, origin, randomFrom } from './notes.ts';

const startMs = Date.UTC(2026, 0, 1);

const actors = ['ann', 'bob'];
const actions = ['test.counted', 'test.told', 'test.done'];
const subjects = ['p', 'q'];
const requests = ['r1', 'r2', 'r3'];

/** Entries of all kinds; several in one millisecond, and gaps in time between. */
async function addEntries(deps: CoreDeps, entries: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  for (let i = 0; i < entries; i++) {
    deps.clock.set(deps.clock.nowMs() + random(3) * random(3));
    const by = { tenant: 'demo', actor: pick(actors), requestId: pick(requests) };
    await count(deps, by, { action: pick(actions), subject: pick(subjects) });
  }
}

/** What a search should find, as simply as it can be said. */
function naive(entries: readonly JournalEntry[], filter: JournalFilter): JournalEntry[] {
  const found = entries.filter((entry) => {
    const atMs = Date.parse(entry.at);
    return (
      [undefined, entry.actor].includes(filter.actor) &&
      [undefined, entry.action].includes(filter.action) &&
      [undefined, entry.subject].includes(filter.subject) &&
      [undefined, entry.requestId].includes(filter.requestId) &&
      atMs >= (filter.sinceMs ?? -Infinity) &&
      atMs < (filter.untilMs ?? Infinity)
    );
  });
  return filter.order === 'asc' ? found : found.toReversed();
}

/** All pages, and what happens between them. */
async function searchAll(
  deps: CoreDeps,
  filter: JournalFilter,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
): Promise<JournalEntry[]> {
  const all: JournalEntry[] = [];
  let from: number | undefined;
  for (let pages = 0; pages < 5000; pages++) {
    const { items, next } = await searchJournal(deps, 'demo', filter, from, limit);
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items);
    if (next === null) return all;
    from = next;
    await between();
  }
  throw new Error('It never ended.');
}

const filters: fc.Arbitrary<Omit<JournalFilter, 'order'>> = fc.record(
  {
    actor: fc.constantFrom(...actors, 'nobody'),
    action: fc.constantFrom(...actions),
    subject: fc.constantFrom(...subjects),
    requestId: fc.constantFrom(...requests),
    sinceMs: fc.integer({ min: startMs - 2, max: startMs + 130 }),
    untilMs: fc.integer({ min: startMs - 2, max: startMs + 130 }),
  },
  { requiredKeys: [] },
);
const orders = fc.constantFrom('asc' as const, 'desc' as const);
const limits = fc.constantFrom(1, 2, 3, 7, 100, 1000);

describe('searchJournal', () => {
  let deps: CoreDeps;
  let entries: JournalEntry[];
  beforeAll(async () => {
    deps = coreDeps();
    await addEntries(deps, 120, 1);
    entries = await journal(deps.records);
  });

  it('gives with any filter, order and limit each entry that passes once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(filters, orders, limits, async (wanted, order, limit) => {
        const filter = { ...wanted, order };
        expect(await searchAll(deps, filter, limit)).toEqual(naive(entries, filter));
      }),
      { numRuns: 300 },
    );
  });

  it('takes times exactly: since is in, until is out', async () => {
    for (const sinceMs of new Set(entries.map(({ at }) => Date.parse(at)))) {
      for (const order of ['asc', 'desc'] as const) {
        const since = { sinceMs, order };
        expect(await searchAll(deps, since, 1000)).toEqual(naive(entries, since));
        const until = { untilMs: sinceMs, order };
        expect(await searchAll(deps, until, 1000)).toEqual(naive(entries, until));
        const both = { sinceMs, untilMs: sinceMs + 1, order };
        const then = entries.filter(({ at }) => Date.parse(at) === sinceMs);
        expect(then.length).toBeGreaterThan(0);
        if (order === 'desc') then.reverse();
        expect(await searchAll(deps, both, 1000)).toEqual(then);
      }
    }
  });

  it('takes any time that a Date can hold', async () => {
    const everything = { order: 'asc' } as const;
    for (const far of [Date.UTC(9999, 11, 31), 253_402_300_800_000, 8.64e15]) {
      expect(await searchAll(deps, { ...everything, sinceMs: far }, 1000)).toEqual([]);
      expect(await searchAll(deps, { ...everything, untilMs: far }, 1000)).toEqual(entries);
      expect(await searchAll(deps, { ...everything, sinceMs: -far }, 1000)).toEqual(entries);
      expect(await searchAll(deps, { ...everything, untilMs: -far }, 1000)).toEqual([]);
    }
  });

  it('goes on from an index whatever the filter of the page before was', async () => {
    const page = await searchJournal(deps, 'demo', { order: 'asc', sinceMs: 0 }, 50, 3);
    expect(page).toEqual({ items: entries.slice(50, 53), next: 53 });
    const back = await searchJournal(deps, 'demo', { order: 'desc' }, 50, 3);
    expect(back).toEqual({ items: entries.slice(48, 51).toReversed(), next: 47 });
    const sinceMs = Date.parse(entries[60]?.at ?? '');
    const late = await searchJournal(deps, 'demo', { order: 'asc', sinceMs }, 0, 1000);
    expect(late.items).toEqual(naive(entries, { order: 'asc', sinceMs }));
    for (const from of [120, 121, 999_999_999_999]) {
      const beyond = await searchJournal(deps, 'demo', { order: 'asc' }, from, 3);
      expect(beyond).toEqual({ items: [], next: null });
      const last = await searchJournal(deps, 'demo', { order: 'desc' }, from, 1);
      expect(last).toEqual({ items: entries.slice(-1), next: 118 });
    }
  });

  it('is empty for who has no journal, and keeps to the tenant', async () => {
    const page = await searchJournal(deps, 'nobody', { order: 'desc' }, undefined, 10);
    expect(page).toEqual({ items: [], next: null });
    await count(deps, { ...origin, tenant: 'other', actor: 'eve' });
    expect(await searchAll(deps, { order: 'asc', actor: 'eve' }, 10)).toEqual([]);
  });
});

describe('searchJournal, while entries are added', () => {
  it('gives each entry once: in ascending order the new ones, too', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        fc.constantFrom(1, 3, 7),
        fc.integer(),
        async (wanted, limit, seed) => {
          const deps = coreDeps();
          await addEntries(deps, 20, seed);
          const filter = { ...wanted, order: 'asc' as const };
          let lengthAtLast = await journalLength(deps, 'demo');
          let rounds = 0;
          const found = await searchAll(deps, filter, limit, async () => {
            rounds += 1;
            if (rounds <= 10) await addEntries(deps, 2, seed + rounds);
            lengthAtLast = await journalLength(deps, 'demo');
          });
          const entries = await journal(deps.records);
          expect(found).toEqual(naive(entries.slice(0, lengthAtLast), filter));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives each entry once: in descending order those of the beginning', async () => {
    const deps = coreDeps();
    await addEntries(deps, 30, 7);
    const entries = await journal(deps.records);
    const filter = { order: 'desc', actor: 'ann' } as const;
    const found = await searchAll(deps, filter, 2, () => addEntries(deps, 3, 9));
    expect(found).toEqual(naive(entries, filter));
  });
});

describe('searchJournal, for what is rare', () => {
  const length = 4500;
  const rare = new Set([10, 4400]);
  let deps: CoreDeps;
  beforeAll(async () => {
    deps = coreDeps();
    for (let index = 0; index < length; index++) {
      await count(deps, { ...origin, actor: rare.has(index) ? 'bob' : 'ann' });
    }
  });

  it.each(['asc', 'desc'] as const)(
    'looks at 2000 entries a page, and says where to go on (%s)',
    async (order) => {
      const pages: [number[], number | null][] = [];
      let from: number | undefined;
      do {
        const { port: records, calls } = countingRecords(deps.records);
        const filter = { order, actor: 'bob' } as const;
        const page = await searchJournal({ records }, 'demo', filter, from, 10);
        expect(calls.query).toBeLessThanOrEqual(4);
        pages.push([page.items.map(({ index }) => index), page.next]);
        from = page.next ?? undefined;
      } while (from !== undefined);
      expect(pages).toEqual(
        order === 'asc'
          ? [
              [[10], 2000],
              [[], 4000],
              [[4400], null],
            ]
          : [
              [[4400], 2499],
              [[], 499],
              [[10], null],
            ],
      );
    },
  );

  it('finds a time in a long journal with few reads', async () => {
    const { port: records, calls } = countingRecords(deps.records);
    const filter = { order: 'asc', sinceMs: startMs + 1 } as const;
    const page = await searchJournal({ records }, 'demo', filter, undefined, 10);
    expect(page).toEqual({ items: [], next: null });
    expect(calls.get).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(length)));
    expect(calls.query).toBe(0);
  });
});

describe('entriesAfter', () => {
  it('answers the entries after an index, in order', async () => {
    const deps = coreDeps();
    await addEntries(deps, 12, 3);
    const entries = await journal(deps.records);
    expect(await entriesAfter(deps, 'demo', -1, 1000)).toEqual(entries);
    expect(await entriesAfter(deps, 'demo', 8, 2)).toEqual(entries.slice(9, 11));
    expect(await entriesAfter(deps, 'demo', 11, 10)).toEqual([]);
  });
});
