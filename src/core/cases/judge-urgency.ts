import type { GeoPlace } from '../geo/geo-place.ts';
import type { ReferenceIndex } from '../reference/reference-indexes.ts';
import type { Urgency } from './case-record.ts';

/** The reference data that says where ambulances and school buses go. */
export const urgencyReferences = {
  hospitals: 'hospitals',
  schoolBusRoutes: 'school-bus-routes',
} as const;

/** As far as that, ambulances on the way to a hospital come together on few streets. */
const hospitalM = 500;
/** The width of a street, and what a position by satellite may be off among houses. */
const busRouteM = 50;

/** Null where nothing is stored. */
export interface UrgencyBasis {
  readonly hospitals: ReferenceIndex | null;
  readonly schoolBusRoutes: ReferenceIndex | null;
}

export interface JudgedUrgency {
  readonly urgency: Urgency;
  readonly reasons: readonly string[];
}

/**
 * `critical` within 500 m of a hospital, `high` within 50 m of a school-bus route, else `normal`.
 * There is a reason for each of the two: also that it is far, or that nobody knows, for want of
 * reference data. What is not known never makes a case more urgent.
 */
export function judgeUrgency(place: GeoPlace, basis: UrgencyBasis): JudgedUrgency {
  const hospital = lookUp(basis.hospitals, place, {
    what: 'hospital',
    data: urgencyReferences.hospitals,
    radiusM: hospitalM,
    urgency: 'critical',
  });
  const route = lookUp(basis.schoolBusRoutes, place, {
    what: 'school-bus route',
    data: urgencyReferences.schoolBusRoutes,
    radiusM: busRouteM,
    urgency: 'high',
  });
  return {
    urgency: hospital.urgency ?? route.urgency ?? 'normal',
    reasons: [hospital.reason, route.reason],
  };
}

interface Wanted {
  readonly what: string;
  readonly data: string;
  readonly radiusM: number;
  /** Of a case that is so near. */
  readonly urgency: Urgency;
}

function lookUp(
  reference: ReferenceIndex | null,
  place: GeoPlace,
  { what, data, radiusM, urgency }: Wanted,
): { readonly urgency: Urgency | null; readonly reason: string } {
  if (reference === null) {
    return { urgency: null, reason: `no ${what} is known: there is no reference data "${data}"` };
  }
  const [nearest] = reference.features.within(place, radiusM);
  if (nearest === undefined) return { urgency: null, reason: `no ${what} within ${radiusM} m` };
  const called = nearest.name === null ? `a ${what}` : `the ${what} ${nearest.name}`;
  const distance = `${Math.round(nearest.distanceM)} m from ${called}`;
  return { urgency, reason: `${distance} (up to ${radiusM} m is ${urgency})` };
}
