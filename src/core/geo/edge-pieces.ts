import type { GeoPlace } from './geo-place.ts';

/** In degrees. An arc of this length is nowhere more than 2.5 m off the line straight in degrees. */
const maxPieceDegrees = 0.1;

/** How many pieces `edgePieces` makes of an edge. */
export function pieceCount(from: GeoPlace, to: GeoPlace): number {
  const length = Math.hypot(to.lat - from.lat, to.lon - from.lon);
  return Math.max(1, Math.ceil(length / maxPieceDegrees));
}

/**
 * An edge as arcs of great circles. Of two positions of GeoJSON the edge is straight in degrees
 * (RFC 7946, 3.1.1): one along a parallel does not cut the corner over the north, as the shortest
 * way would. Nearly every edge on the scale of a city is one piece.
 */
export function* edgePieces(from: GeoPlace, to: GeoPlace): Generator<[GeoPlace, GeoPlace]> {
  const count = pieceCount(from, to);
  let start = from;
  for (let piece = 1; piece <= count; piece += 1) {
    const share = piece / count;
    const end = piece === count ? to : between(from, to, share);
    yield [start, end];
    start = end;
  }
}

function between(from: GeoPlace, to: GeoPlace, share: number): GeoPlace {
  return {
    lat: from.lat + (to.lat - from.lat) * share,
    lon: from.lon + (to.lon - from.lon) * share,
  };
}
