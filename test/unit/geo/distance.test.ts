import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceM, distanceToEdgeM } from '../../../src/core/geo/distance.ts';
import type { GeoPlace } from '../../../src/core/geo/geo-place.ts';
import { anyPlace, middleOf, placeFrom } from './places.ts';

const place = (lat: number, lon: number): GeoPlace => ({ lat, lon });
const degreeM = (6_371_008.8 * Math.PI) / 180;

describe('the distance of places', () => {
  it('is that of the haversine formula', () => {
    expect(distanceM(place(52.52, 13.405), place(48.8566, 2.3522))).toBeCloseTo(877_464.6, 0);
    expect(distanceM(place(0, 0), place(0, 1))).toBeCloseTo(degreeM, 6);
    expect(distanceM(place(90, 17), place(-90, 3))).toBeCloseTo(180 * degreeM, 4);
  });

  it('is short over the antimeridian and the poles', () => {
    expect(distanceM(place(0, 179.9999), place(0, -179.9999))).toBeCloseTo(0.0002 * degreeM, 6);
    expect(distanceM(place(10, 180), place(10, -180))).toBeCloseTo(0, 6);
    expect(distanceM(place(89.9999, 0), place(89.9999, 180))).toBeCloseTo(0.0002 * degreeM, 6);
    expect(distanceM(place(-90, 5), place(-90, 95))).toBeCloseTo(0, 6);
  });

  it('is that which was walked, in any direction from anywhere', () => {
    const walk = fc.tuple(anyPlace, fc.double({ min: 0, max: 100_000, noNaN: true }), fc.nat(359));
    fc.assert(
      fc.property(walk, ([from, walkedM, bearing]) => {
        const to = placeFrom(from, walkedM, bearing);
        expect(Math.abs(distanceM(from, to) - walkedM)).toBeLessThan(0.01);
        expect(distanceM(to, from)).toBe(distanceM(from, to));
      }),
    );
  });
});

describe('the distance from an edge', () => {
  it('is that of the nearest point on it', () => {
    const [west, east] = [place(0, 10), place(0, 10.01)];
    expect(distanceToEdgeM(place(0.001, 10.005), west, east)).toBeCloseTo(0.001 * degreeM, 6);
    expect(distanceToEdgeM(place(0, 10.012), west, east)).toBeCloseTo(0.002 * degreeM, 6);
    expect(distanceToEdgeM(place(0, 9.998), west, east)).toBeCloseTo(0.002 * degreeM, 6);
    expect(distanceToEdgeM(place(0, 10.004), west, east)).toBeCloseTo(0, 6);
    // On the other side of the Earth it is not beside the edge.
    expect(distanceToEdgeM(place(0, -170), west, east)).toBeGreaterThan(179 * degreeM);
  });

  it('is right over the antimeridian and a pole', () => {
    const over = [place(60, 179.999), place(60, -179.999)] as const;
    expect(distanceToEdgeM(place(60.001, 180), ...over)).toBeCloseTo(0.001 * degreeM, 1);
    expect(distanceToEdgeM(place(60.001, -180), ...over)).toBeCloseTo(0.001 * degreeM, 1);
    const polar = [place(89.999, 0), place(89.999, 180)] as const;
    expect(distanceToEdgeM(place(90, 77), ...polar)).toBeCloseTo(0, 6);
    expect(distanceToEdgeM(place(89.9995, 90), ...polar)).toBeCloseTo(0.0005 * degreeM, 6);
  });

  it('of no length is that from its place', () => {
    const there = place(38.5, -98.2);
    expect(distanceToEdgeM(place(38.501, -98.2), there, there)).toBeCloseTo(0.001 * degreeM, 6);
    expect(distanceToEdgeM(there, there, there)).toBe(0);
  });

  it('is the least there is along it, found by halving', () => {
    const cases = fc.tuple(
      anyPlace,
      fc.double({ min: 0.01, max: 5000, noNaN: true }),
      fc.nat(359),
      fc.double({ min: 0, max: 5000, noNaN: true }),
      fc.nat(359),
    );
    fc.assert(
      fc.property(cases, ([from, lengthM, course, awayM, bearing]) => {
        const to = placeFrom(from, lengthM, course);
        const asked = placeFrom(from, awayM, bearing);
        let [a, b] = [from, to];
        // Along so short an edge the distance falls, then rises.
        for (let halving = 0; halving < 40; halving += 1) {
          const middle = middleOf(a, b);
          if (distanceToEnd(asked, middleOf(a, middle), middleOf(middle, b))) b = middle;
          else a = middle;
        }
        const least = Math.min(...[a, b, from, to].map((each) => distanceM(asked, each)));
        expect(Math.abs(distanceToEdgeM(asked, from, to) - least)).toBeLessThan(0.02);
        expect(distanceToEdgeM(asked, to, from)).toBeCloseTo(distanceToEdgeM(asked, from, to), 6);
      }),
    );
  });
});

function distanceToEnd(asked: GeoPlace, nearer: GeoPlace, farther: GeoPlace): boolean {
  return distanceM(asked, nearer) < distanceM(asked, farther);
}
