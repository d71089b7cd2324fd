import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsAround } from '../../../src/core/geo/cells-around.ts';
import { distanceM } from '../../../src/core/geo/distance.ts';
import { geohash } from '../../../src/core/geo/geohash.ts';
import { anyPlace, placeFrom } from './places.ts';

describe('geohash', () => {
  it.each([
    ['u4pruydqq', 57.64911, 10.40744],
    ['ezs42', 42.605, -5.603],
    ['9q8yyk8', 37.7749, -122.4194],
    ['dqcjqcp', 38.8977, -77.0365],
    ['r3gx2f7', -33.8688, 151.2093],
    ['s000000', 0, 0],
    ['0000000', -90, -180],
    ['bpbpbpb', 90, -180],
    ['zzzzzzz', 90, 179.9999],
    ['', 12, 34],
  ])('of its cell is %s', (name, lat, lon) => {
    expect(geohash({ lat, lon }, name.length)).toBe(name);
  });

  it('is one for both names of the antimeridian', () => {
    expect(geohash({ lat: 51, lon: 180 }, 7)).toBe(geohash({ lat: 51, lon: -180 }, 7));
  });

  it('begins with that of every larger cell around', () => {
    fc.assert(
      fc.property(anyPlace, (place) => {
        const whole = geohash(place, 9);
        for (let precision = 0; precision < 9; precision += 1) {
          expect(geohash(place, precision)).toBe(whole.slice(0, precision));
        }
      }),
    );
  });
});

describe('the cells around a place', () => {
  it('hold every place within the radius, each cell once', () => {
    const walks = fc.record({
      place: anyPlace,
      radiusM: fc.double({ min: 0, max: 3000, noNaN: true }),
      share: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      bearing: fc.nat(359),
      precision: fc.integer({ min: 4, max: 7 }),
    });
    fc.assert(
      fc.property(walks, ({ place, radiusM, share, bearing, precision }) => {
        const cells = cellsAround(place, radiusM, precision, 5000);
        if (cells === null) return;
        const within = placeFrom(place, radiusM * share, bearing);
        fc.pre(distanceM(place, within) <= radiusM);
        expect(cells).toContain(geohash(within, precision));
        expect(new Set(cells).size).toBe(cells.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('are few', () => {
    const equator = { lat: 0.0001, lon: 0.0001 };
    expect(cellsAround(equator, 30, 7, 10)).toHaveLength(4);
    expect(cellsAround({ lat: 0.0007, lon: 0.0007 }, 30, 7, 10)).toEqual(['s000000']);
    expect(cellsAround(equator, 1000, 7, 300)!.length).toBeLessThanOrEqual(15 * 15);
    // Nine cells would not hold a circle of 30 m here: each is 13 m wide.
    expect(cellsAround({ lat: 85, lon: 10 }, 30, 7, 20)!.length).toBeGreaterThan(5);
  });

  it('are all of a row around the pole, or too many', () => {
    expect(cellsAround({ lat: 90, lon: 0 }, 1, 3, 256)).toHaveLength(256);
    expect(cellsAround({ lat: -89.99999, lon: 12 }, 30, 3, 256)).toHaveLength(256);
    expect(cellsAround({ lat: 90, lon: 0 }, 1, 7, 2500)).toBeNull();
    expect(cellsAround({ lat: 0, lon: 0 }, 1000, 7, 100)).toBeNull();
  });
});
