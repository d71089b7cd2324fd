import * as fc from 'fast-check';
import type { GeoPlace } from '../../../src/core/geo/geo-place.ts';

type Vector = readonly [x: number, y: number, z: number];

const degrees = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Anywhere, and often where maps go wrong: at the antimeridian, the poles, the borders of cells. */
export const anyPlace: fc.Arbitrary<GeoPlace> = fc.record({
  lat: fc.oneof(
    degrees(-90, 90),
    degrees(89.9, 90),
    degrees(-90, -89.9),
    fc.constantFrom(-90, 0, 90),
  ),
  lon: fc.oneof(
    degrees(-180, 180),
    degrees(179.9, 180),
    degrees(-180, -179.9),
    fc.constantFrom(-180, -90, 0, 45, 180),
  ),
});

/** The place that is so far from another in a direction, in degrees from the north by the east. */
export function placeFrom({ lat, lon }: GeoPlace, distanceM: number, bearing: number): GeoPlace {
  const [phi, lambda, course] = [lat, lon, bearing].map((each) => (each * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const here = vectorOf({ lat, lon });
  const north = [
    -Math.sin(phi) * Math.cos(lambda),
    -Math.sin(phi) * Math.sin(lambda),
    Math.cos(phi),
  ] as const;
  const east = [-Math.sin(lambda), Math.cos(lambda), 0] as const;
  const angle = distanceM / 6_371_008.8;
  const along = (axis: 0 | 1 | 2) =>
    here[axis] * Math.cos(angle) +
    (north[axis] * Math.cos(course) + east[axis] * Math.sin(course)) * Math.sin(angle);
  return placeOf([along(0), along(1), along(2)]);
}

/** The middle of the shortest way between two places. */
export function middleOf(a: GeoPlace, b: GeoPlace): GeoPlace {
  const [va, vb] = [vectorOf(a), vectorOf(b)];
  return placeOf([va[0] + vb[0], va[1] + vb[1], va[2] + vb[2]]);
}

function vectorOf({ lat, lon }: GeoPlace): Vector {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function placeOf([x, y, z]: Vector): GeoPlace {
  return {
    lat: (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI,
    lon: (Math.atan2(y, x) * 180) / Math.PI,
  };
}
