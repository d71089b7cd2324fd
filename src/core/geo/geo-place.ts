/** A place on the ground, in degrees of WGS 84. */
export interface GeoPlace {
  /** -90 to 90. */
  readonly lat: number;
  /** -180 to 180, which are the same meridian. */
  readonly lon: number;
}
