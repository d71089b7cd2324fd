import type { GeoPlace } from './geo-place.ts';

/** A ring that ends where it begins: the border of an area, or of a hole in it. */
export type GeoRing = readonly GeoPlace[];

/** A feature of GeoJSON, whatever its type of geometry. No edge crosses the antimeridian. */
export interface GeoFeature {
  /** Its property `name`, when that is a text of one line. */
  readonly name: string | null;
  readonly points: readonly GeoPlace[];
  /** Each of two places or more. */
  readonly lines: readonly (readonly GeoPlace[])[];
  /** Each with its outer ring first, then its holes. */
  readonly areas: readonly (readonly GeoRing[])[];
}
