import type { GeoPlace } from './geo-place.ts';

/** The mean radius of WGS 84: on a sphere of it distances are right to 0.6 %. */
export const earthRadiusM = 6_371_008.8;

type Vector = readonly [x: number, y: number, z: number];

/** Along the ground, in metres (haversine: exact to the nanometre for places side by side). */
export function distanceM(a: GeoPlace, b: GeoPlace): number {
  const halfLat = Math.sin(radians(b.lat - a.lat) / 2);
  const halfLon = Math.sin(radians(b.lon - a.lon) / 2);
  const chord = halfLat ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * halfLon ** 2;
  return 2 * earthRadiusM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/**
 * From a place to the nearest point of the edge between two others, in metres. The edge is the
 * shortest way between them, an arc of a great circle; it may cross the antimeridian or a pole.
 */
export function distanceToEdgeM(place: GeoPlace, from: GeoPlace, to: GeoPlace): number {
  const [p, a, b] = [vectorOf(place), vectorOf(from), vectorOf(to)];
  // Twice a × b, and exact also where the two are nearly the same.
  const normal = cross(minus(a, b), plus(a, b));
  const length = Math.sqrt(dot(normal, normal));
  const isBeside = length > 0 && dot(cross(normal, a), p) > 0 && dot(cross(b, normal), p) > 0;
  if (!isBeside) return Math.min(distanceM(place, from), distanceM(place, to));
  return earthRadiusM * Math.asin(Math.min(1, Math.abs(dot(p, normal)) / length));
}

export function radians(angleDegrees: number): number {
  return (angleDegrees * Math.PI) / 180;
}

export function degrees(angleRadians: number): number {
  return (angleRadians * 180) / Math.PI;
}

function vectorOf({ lat, lon }: GeoPlace): Vector {
  const [phi, lambda] = [radians(lat), radians(lon)];
  const cosPhi = Math.cos(phi);
  return [cosPhi * Math.cos(lambda), cosPhi * Math.sin(lambda), Math.sin(phi)];
}

function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function plus(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
