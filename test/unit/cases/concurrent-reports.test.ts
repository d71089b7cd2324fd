import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellKeyOf, openCasesAround } from '../../../src/core/cases/case-cells.ts';
import type { CaseRecord } from '../../../src/core/cases/case-record.ts';
import { casesNear, readCase } from '../../../src/core/cases/find-cases.ts';
import { openCase } from '../../../src/core/cases/open-case.ts';
import { distanceM } from '../../../src/core/geo/distance.ts';
import type { GeoPlace } from '../../../src/core/geo/geo-place.ts';
import { geohash } from '../../../src/core/geo/geohash.ts';
import { GatheringTransaction } from '../../../src/core/jobs/job-transaction.ts';
import { getRecord } from '../../../src/core/records.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { placeFrom } from '../geo/places.ts';
import { CaseDesk, openIn, type Outcome } from './case-desk.ts';

/** The middle of the border between two cells, and, of the corner between four. */
const border: GeoPlace = { lat: 38.5, lon: 360 * (2 ** -18 * 59_600) - 180 };
const corner: GeoPlace = { lat: 180 * (2 ** -17 * 93_500) - 90, lon: border.lon };

const dataAt = (place: GeoPlace) => ({ ...place, description: 'deep hole' });
const cellOf = (place: GeoPlace) => geohash(place, 7);

describe('two reports of one pothole at the same moment', () => {
  const pairs: [string, GeoPlace, GeoPlace, number][] = [
    ['the same place', placeFrom(border, 40, 90), placeFrom(border, 40, 90), 1],
    ['one cell', placeFrom(border, 40, 90), placeFrom(border, 60, 90), 1],
    ['cells side by side', placeFrom(border, 10, 90), placeFrom(border, 10, 270), 2],
    ['cells one above the other', placeFrom(corner, 14, 10), placeFrom(corner, 14, 170), 2],
    ['cells that meet at a corner', placeFrom(corner, 14, 45), placeFrom(corner, 14, 225), 2],
    ['both sides of the antimeridian', { lat: 51, lon: 179.9999 }, { lat: 51, lon: -179.9999 }, 2],
  ];

  it.each(pairs)('are one case: %s', async (_, here, there, cells) => {
    expect(new Set([cellOf(here), cellOf(there)]).size).toBe(cells);
    expect(distanceM(here, there)).toBeLessThan(30);
    const desk = new CaseDesk();
    const [one, two] = [here, there].map((each) => desk.job('pothole.report', dataAt(each)));
    const [first, second] = await Promise.all([one!(), two!()]);
    expect([first.outcome.kind, second.outcome.kind]).toEqual(['completed', 'completed']);
    expect(await first.commit()).toBe('committed');
    expect(await second.commit()).toBe('conflict');
    const again = await two!();
    expect(again.outcome).toMatchObject({ kind: 'rejected', validator: 'duplicate' });
    const { items } = await casesNear(desk.deps, 'demo', here, 250, 10);
    expect(items.map(({ id }) => id)).toEqual(['CASE-1']);
    await expect(readCase(desk.deps, 'demo', 'CASE-2')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('do not hold up reports from the next street', async () => {
    const desk = new CaseDesk();
    const places = [placeFrom(border, 75, 90), placeFrom(border, 300, 90)];
    const attempts = await Promise.all(
      places.map((each) => desk.job('pothole.report', dataAt(each))()),
    );
    for (const { commit } of attempts) expect(await commit()).toBe('committed');
  });
});

describe('reports that come together', () => {
  it('leave no two cases of one pothole, and no pothole without a case', async () => {
    const walks = fc.array(
      fc.record({ awayM: fc.double({ min: 0, max: 120, noNaN: true }), bearing: fc.nat(359) }),
      { minLength: 2, maxLength: 12 },
    );
    const anchors = fc.constantFrom(border, corner, { lat: 84.99, lon: 180 }, { lat: -10, lon: 3 });
    await fc.assert(
      fc.asyncProperty(anchors, walks, fc.array(fc.nat(100)), async (anchor, walk, order) => {
        const desk = new CaseDesk();
        const places = walk.map(({ awayM, bearing }) => placeFrom(anchor, awayM, bearing));
        const outcomes = await raced(desk, places, order);
        const cases = await openCasesOf(desk, anchor);
        for (const [index, open] of cases.entries()) {
          for (const other of cases.slice(index + 1)) {
            expect(distanceM(open.location, other.location)).toBeGreaterThan(30);
          }
        }
        for (const [index, place] of places.entries()) {
          const nearest = Math.min(...cases.map(({ location }) => distanceM(location, place)));
          expect(nearest).toBeLessThanOrEqual(outcomes[index]?.kind === 'completed' ? 0 : 30);
        }
        const completed = outcomes.filter(({ kind }) => kind === 'completed');
        expect(cases).toHaveLength(completed.length);
      }),
      { numRuns: 60 },
    );
  });

  /** All begin at once; who may commit next, and who must begin anew, is drawn. */
  async function raced(desk: CaseDesk, places: readonly GeoPlace[], order: readonly number[]) {
    const jobs = places.map((place) => desk.job('pothole.report', dataAt(place)));
    const outcomes: Outcome[] = [];
    const pending = await Promise.all(
      jobs.map(async (job, index) => ({ index, job, attempt: await job() })),
    );
    for (let step = 0; pending.length > 0; step += 1) {
      const [next] = pending.splice((order[step] ?? 0) % pending.length, 1);
      if (next === undefined) break;
      if ((await next.attempt.commit()) === 'committed')
        outcomes[next.index] = next.attempt.outcome;
      else pending.push({ ...next, attempt: await next.job() });
    }
    return outcomes;
  }

  async function openCasesOf(desk: CaseDesk, around: GeoPlace): Promise<readonly CaseRecord[]> {
    const { items } = await casesNear(desk.deps, 'demo', around, 250, 100);
    return Promise.all(items.map(({ id }) => readCase(desk.deps, 'demo', id)));
  }
});

describe('a cell', () => {
  it('holds at most 41 open cases, however densely they are packed', async () => {
    const desk = new CaseDesk();
    // At the equator, where cells are largest, in rows that are shifted by half.
    const south = { lat: 0.0001 + 180 / 2 ** 17, lon: 9.9 };
    const cell = cellOf({ lat: south.lat + 0.0005, lon: south.lon });
    let opened = 0;
    for (let row = -3; row < 10; row += 1) {
      for (let column = -8; column < 8; column += 1) {
        const start = placeFrom(south, row * 30.01 * Math.sqrt(0.75), 0);
        const place = placeFrom(start, column * 30.01 + (row % 2 === 0 ? 0 : 15.005), 90);
        if (cellOf(place) !== cell) continue;
        expect(await desk.report(place)).toMatchObject({ kind: 'completed' });
        opened += 1;
      }
    }
    const held = await getRecord(
      desk.deps,
      cellKeyOf('demo', { ...south, lat: south.lat + 0.0005 }),
    );
    expect(openIn(held?.value)).toHaveLength(opened);
    expect(opened).toBeGreaterThan(28);
    expect(opened).toBeLessThanOrEqual(41);
  });

  it('takes no case that is too near to another, whoever opens it', async () => {
    const deps = coreDeps();
    const desk = new CaseDesk(deps);
    await desk.report(border);
    const record = await readCase(deps, 'demo', 'CASE-1');
    const tx = new GatheringTransaction(deps);
    const near = { ...record, id: 'CASE-9', location: placeFrom(border, 12, 0) };
    await expect(openCase(tx, 'demo', near)).rejects.toThrow('duplicate of CASE-1');
    expect(tx.writes()).toEqual([]);
  });

  it('is looked at as a transaction has left it', async () => {
    const deps = coreDeps();
    await new CaseDesk(deps).report(border);
    const record = await readCase(deps, 'demo', 'CASE-1');
    const tx = new GatheringTransaction(deps);
    await openCase(tx, 'demo', { ...record, id: 'CASE-9', location: placeFrom(border, 50, 0) });
    const found = await openCasesAround(tx, 'demo', border, 100);
    expect(found.map(({ id }) => id)).toEqual(['CASE-1', 'CASE-9']);
  });
});
