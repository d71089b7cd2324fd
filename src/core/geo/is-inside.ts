import type { GeoRing } from './geo-feature.ts';
import type { GeoPlace } from './geo-place.ts';

/**
 * Whether a place is in an area and in none of its holes: a line from it to the east crosses
 * their rings an odd number of times. Edges are straight in degrees (RFC 7946, 3.1.1). A place on
 * an edge may be told either way.
 */
export function isInside({ lat, lon }: GeoPlace, rings: readonly GeoRing[]): boolean {
  let inside = false;
  for (const ring of rings) {
    for (const [index, to] of ring.entries()) {
      const from = ring[index - 1];
      if (from === undefined || from.lat > lat === to.lat > lat) continue;
      const share = (lat - from.lat) / (to.lat - from.lat);
      if (lon < from.lon + share * (to.lon - from.lon)) inside = !inside;
    }
  }
  return inside;
}
