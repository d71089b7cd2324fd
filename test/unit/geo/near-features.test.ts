import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceM, distanceToEdgeM } from '../../../src/core/geo/distance.ts';
import { edgePieces } from '../../../src/core/geo/edge-pieces.ts';
import type { GeoFeature } from '../../../src/core/geo/geo-feature.ts';
import type { GeoPlace } from '../../../src/core/geo/geo-place.ts';
import { NearFeatures } from '../../../src/core/geo/near-features.ts';
import { anyPlace, placeFrom } from './places.ts';

const shape = (name: string | null, given: Partial<GeoFeature>): GeoFeature => ({
  name,
  points: [],
  lines: [],
  areas: [],
  ...given,
});
const place = (lat: number, lon: number): GeoPlace => ({ lat, lon });
const degreeM = (6_371_008.8 * Math.PI) / 180;

describe('features near a place', () => {
  it('are told with their distance, the nearest first', () => {
    const features = new NearFeatures([
      shape('far', { points: [place(0, 10.02)] }),
      shape('twice', { points: [place(0, 10.004), place(0, 10.003)] }),
      shape('street', { lines: [[place(-1, 10.002), place(1, 10.002)]] }),
      shape(null, { points: [place(0, 10.001)] }),
    ]);
    const found = features.within(place(0, 10), 1000);
    expect(found.map(({ name }) => name)).toEqual([null, 'street', 'twice']);
    for (const [index, { distanceM: told }] of found.entries()) {
      expect(told).toBeCloseTo((index + 1) * 0.001 * degreeM, 1);
    }
    expect(features.within(place(0, 11), 1000)).toEqual([]);
    expect(new NearFeatures([]).within(place(0, 10), 1000)).toEqual([]);
  });

  it('are at no distance from what they hold', () => {
    const ring = (south: number, north: number) => [
      place(south, 20),
      place(north, 20),
      place(north, 21),
      place(south, 21),
      place(south, 20),
    ];
    const park = shape('park', { areas: [[ring(40, 41), ring(40.4, 40.6)]] });
    const features = new NearFeatures([park]);
    expect(features.within(place(40.2, 20.5), 10)).toEqual([{ name: 'park', distanceM: 0 }]);
    expect(features.within(place(40.5, 20.5), 10)).toEqual([]);
    const [fromHole] = features.within(place(40.401, 20.5), 1000);
    expect(fromHole?.distanceM).toBeCloseTo(0.001 * degreeM, 0);
    const [fromOutside] = features.within(place(40.3, 21.001), 1000);
    expect(fromOutside?.distanceM).toBeCloseTo(
      0.001 * degreeM * Math.cos((40.3 * Math.PI) / 180),
      0,
    );
  });

  it('are found over the antimeridian, and at the poles', () => {
    const cut = shape('cut', {
      lines: [
        [place(10, 179.9), place(10, 180)],
        [place(10, -180), place(10, -179.9)],
      ],
    });
    const east = shape('east', { points: [place(10.001, -179.9999)] });
    const features = new NearFeatures([cut, east, shape('pole', { points: [place(90, 12)] })]);
    expect(features.within(place(10.001, 179.9999), 200).map(({ name }) => name)).toEqual([
      'east',
      'cut',
    ]);
    expect(features.within(place(89.9999, -100), 200).map(({ name }) => name)).toEqual(['pole']);
  });

  it('are those that a look at all of them finds', () => {
    const metres = (max: number) => fc.double({ min: 0, max, noNaN: true });
    const asked = fc.record({
      place: anyPlace,
      radiusM: fc.oneof(metres(20), metres(1000), metres(50_000)),
      lines: fc.array(
        fc.record({
          awayM: fc.oneof(metres(2000), metres(60_000)),
          bearing: fc.nat(359),
          lengthM: fc.oneof(metres(0), metres(500), metres(8000), metres(300_000)),
          course: fc.nat(359),
          isArea: fc.boolean(),
          /** From this share of its length on, it leads away from the place; else it is anywhere. */
          passes: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        }),
        { maxLength: 12 },
      ),
    });
    fc.assert(
      fc.property(asked, ({ place: here, radiusM, lines }) => {
        const features = lines.flatMap((line, index) => {
          const { awayM, bearing, lengthM, course, isArea, passes } = line;
          const from = placeFrom(here, passes === null ? awayM : lengthM * passes, bearing);
          const to =
            passes === null
              ? placeFrom(from, lengthM, course)
              : placeFrom(here, lengthM * (1 - passes), bearing + 180);
          const third = placeFrom(from, lengthM, course + 60);
          const turn = [from, to, third, from];
          // What crosses the antimeridian is cut before it comes here.
          if (turn.some(({ lon }) => Math.abs(lon - from.lon) > 90)) return [];
          const kind = isArea ? { areas: [[turn]] } : { lines: [[from, to]] };
          return [shape(`${index}`, lengthM === 0 ? { points: [from] } : kind)];
        });
        const found = new Map(
          new NearFeatures(features)
            .within(here, radiusM)
            .map(({ name, distanceM: told }) => [name, told]),
        );
        for (const feature of features) {
          const wantedM = bruteDistanceM(here, feature);
          const foundM = found.get(feature.name);
          // On a border, a place may be told to be inside or not.
          if (wantedM < radiusM - 0.001) expect(foundM).toBeDefined();
          if (wantedM > radiusM + 0.001) expect(foundM).toBeUndefined();
          if (foundM !== undefined) expect(Math.abs(foundM - wantedM)).toBeLessThan(0.001);
        }
      }),
      { numRuns: 400 },
    );
  });
});

function bruteDistanceM(here: GeoPlace, { points, lines, areas }: GeoFeature): number {
  const distances = points.map((point) => distanceM(here, point));
  for (const line of [...lines, ...areas.flat()]) {
    for (const [index, to] of line.entries()) {
      const from = line[index - 1];
      if (from === undefined) continue;
      for (const [a, b] of edgePieces(from, to)) distances.push(distanceToEdgeM(here, a, b));
    }
  }
  const holds = areas.some(([triangle = []]) => windsAround(here, triangle));
  return holds ? 0 : Math.min(...distances);
}

/** Whether a ring goes around a place, by the sum of the angles under which its edges are seen. */
function windsAround(here: GeoPlace, ring: readonly GeoPlace[]): boolean {
  let sum = 0;
  for (const [index, to] of ring.entries()) {
    const from = ring[index - 1];
    if (from === undefined) continue;
    const [a, b] = [from, to].map(({ lat, lon }) => Math.atan2(lat - here.lat, lon - here.lon)) as [
      number,
      number,
    ];
    sum += Math.atan2(Math.sin(b - a), Math.cos(b - a));
  }
  return Math.abs(sum) > Math.PI;
}
