import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceToEdgeM } from '../../../src/core/geo/distance.ts';
import { edgePieces, pieceCount } from '../../../src/core/geo/edge-pieces.ts';
import { anyPlace } from './places.ts';

describe('the pieces of an edge', () => {
  it('are the edge itself where it is short', () => {
    const [from, to] = [
      { lat: 38.5, lon: -98.2 },
      { lat: 38.55, lon: -98.15 },
    ];
    expect([...edgePieces(from, to)]).toEqual([[from, to]]);
    expect([...edgePieces(from, from)]).toEqual([[from, from]]);
  });

  it('lead from its one end to the other, without a gap, along the straight line in degrees', () => {
    fc.assert(
      fc.property(
        anyPlace,
        anyPlace,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (from, to, at) => {
          fc.pre(Math.hypot(to.lat - from.lat, to.lon - from.lon) < 20);
          const pieces = [...edgePieces(from, to)];
          expect(pieces).toHaveLength(pieceCount(from, to));
          expect([pieces[0]?.[0], pieces.at(-1)?.[1]]).toEqual([from, to]);
          for (const [index, [start]] of pieces.entries()) {
            if (index > 0) expect(start).toBe(pieces[index - 1]?.[1]);
          }
          const on = {
            lat: from.lat + (to.lat - from.lat) * at,
            lon: from.lon + (to.lon - from.lon) * at,
          };
          const nearest = Math.min(...pieces.map(([a, b]) => distanceToEdgeM(on, a, b)));
          expect(nearest).toBeLessThan(2.5);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keep a border along a parallel where it is', () => {
    // The shortest way between these ends goes 44 km farther north.
    const [west, east] = [
      { lat: 49, lon: -123 },
      { lat: 49, lon: -95 },
    ];
    const middle = { lat: 49, lon: -109 };
    expect(distanceToEdgeM(middle, west, east)).toBeGreaterThan(40_000);
    const nearest = [...edgePieces(west, east)].map(([a, b]) => distanceToEdgeM(middle, a, b));
    expect(Math.min(...nearest)).toBeLessThan(2.5);
  });
});
