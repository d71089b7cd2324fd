import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseLimits } from '../../../src/core/cases/case-record.ts';
import { casesNear, readCase } from '../../../src/core/cases/find-cases.ts';
import { distanceM } from '../../../src/core/geo/distance.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { placeFrom } from '../geo/places.ts';
import { CaseDesk } from './case-desk.ts';

const { maxLatitude, maxRadiusM } = caseLimits;
const here = { lat: 38.5012, lon: -98.2004 };

describe('cases near a place', () => {
  it('are those within the radius, the nearest first', async () => {
    const desk = new CaseDesk();
    for (const awayM of [900, 60, 240, 260]) await desk.report(placeFrom(here, awayM, awayM));
    const near = (radiusM: number, limit = 10) =>
      casesNear(desk.deps, 'demo', here, radiusM, limit);
    const found = await near(250);
    expect(found.more).toBe(false);
    expect(found.items.map(({ id }) => id)).toEqual(['CASE-2', 'CASE-3']);
    const [first] = found.items;
    const distance = first?.distanceM ?? 0;
    expect(distance).toBeCloseTo(60, 3);
    expect(first).toEqual({
      id: 'CASE-2',
      kind: 'pothole',
      location: placeFrom(here, 60, 60),
      urgency: 'normal',
      openedAt: '2026-01-01T00:00:00.000Z',
      distanceM: distance,
    });
    expect((await near(1000)).items.map(({ id }) => id)).toEqual([
      'CASE-2',
      'CASE-3',
      'CASE-4',
      'CASE-1',
    ]);
    expect(await near(1000, 2)).toMatchObject({ items: { length: 2 }, more: true });
    expect(await near(1000, 4)).toMatchObject({ items: { length: 4 }, more: false });
  });

  it('are those that a look at all of them finds', async () => {
    const walk = fc.record({
      awayM: fc.double({ min: 0, max: 1200, noNaN: true }),
      bearing: fc.nat(359),
    });
    const asked = fc.record({
      lat: fc.oneof(
        fc.double({ min: -84.9, max: 84.9, noNaN: true }),
        fc.constantFrom(-84.98, 0, 84.98),
      ),
      lon: fc.oneof(
        fc.double({ min: -180, max: 180, noNaN: true }),
        fc.constantFrom(-180, 180, 179.999),
      ),
      radiusM: fc.integer({ min: 1, max: maxRadiusM }),
      walks: fc.array(walk, { maxLength: 15 }),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ lat, lon, radiusM, walks }) => {
        const desk = new CaseDesk();
        const places = walks.map(({ awayM, bearing }) => placeFrom({ lat, lon }, awayM, bearing));
        const wanted: string[] = [];
        for (const place of places) {
          const outcome = await desk.report(place);
          if (outcome.kind !== 'completed') continue;
          const { case: id } = outcome.result as { case: string };
          if (distanceM({ lat, lon }, place) <= radiusM) wanted.push(id);
        }
        const { items } = await casesNear(desk.deps, 'demo', { lat, lon }, radiusM, 100);
        expect(items.map(({ id }) => id).sort()).toEqual(wanted.sort());
        const distances = items.map((each) => each.distanceM);
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [0, 250, 1],
    [0, 1000, 3],
    [60, 250, 1],
    [60, 1000, 5],
    [maxLatitude, maxRadiusM, 24],
    [-maxLatitude, maxRadiusM, 24],
  ])('at %i degrees and %i m take at most %i reads', async (lat, radiusM, reads) => {
    const desk = new CaseDesk();
    const { port: records, calls } = countingRecords(desk.deps.records);
    await casesNear({ records }, 'demo', { lat, lon: 179.9999 }, radiusM, 10);
    expect(calls.getMany).toBeLessThanOrEqual(reads);
    expect([calls.get, calls.query, calls.commit]).toEqual([0, 0, 0]);
  });

  it('are of the tenant', async () => {
    const desk = new CaseDesk();
    await desk.report(here);
    expect((await casesNear(desk.deps, 'other', here, 250, 10)).items).toEqual([]);
    for (const [tenant, id] of [
      ['other', 'CASE-1'],
      ['demo', 'CASE-2'],
      ['demo', 'case-1'],
      ['demo', 'CASE-1#case'],
    ] as const) {
      await expect(readCase(desk.deps, tenant, id)).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});
