import type { ErrorDetail } from '../errors/app-error.ts';
import type { Json } from '../values/json.ts';
import { pieceCount } from './edge-pieces.ts';
import type { GeoFeature, GeoRing } from './geo-feature.ts';
import type { GeoPlace } from './geo-place.ts';

export const geoJsonLimits = {
  maxFeatures: 10_000,
  /** An edge longer than 0.1 degrees counts once more for each of them. */
  maxPositions: 100_000,
  maxNameChars: 100,
  maxFindings: 20,
} as const;

const limits = geoJsonLimits;

export type ParsedGeoJson =
  | { readonly features: readonly GeoFeature[]; readonly positions: number }
  /** 1 to 20: everything wrong, in the order of the document. */
  | { readonly findings: readonly ErrorDetail[] };

/**
 * The features of a FeatureCollection (RFC 7946) with points, lines and areas. Stricter than the
 * RFC: each has a place, no list of coordinates is empty, and edges over the antimeridian are cut
 * there, as the RFC recommends. Members that it does not know are ignored, as it demands.
 * Time is linear in the document.
 */
export function parseGeoJson(document: Json): ParsedGeoJson {
  return new GeoJsonParser().collection(document);
}

type Fields = { readonly [key: string]: Json };
type Shape = Omit<GeoFeature, 'name'>;

const nowhere: Shape = { points: [], lines: [], areas: [] };

/** Stands where a position was refused. */
const refused: GeoPlace = { lat: 0, lon: 0 };

/** The names of WGS 84 with the longitude first, which older writers still put down. */
const crs84 = /^urn:ogc:def:crs:OGC:(?:1\.3)?:CRS84$/;

class GeoJsonParser {
  readonly #findings: ErrorDetail[] = [];
  #positions = 0;

  collection(document: Json): ParsedGeoJson {
    const fields = this.#object('', document, 'FeatureCollection');
    if (fields === null) return { findings: this.#findings };
    this.#without('', fields, ['coordinates', 'geometries', 'geometry', 'properties']);
    this.#system(fields['crs']);
    const listed = fields['features'];
    const features: GeoFeature[] = [];
    if (!isList(listed) || listed.length > limits.maxFeatures) {
      this.#add('/features', `must be a list of at most ${limits.maxFeatures} features`);
    } else {
      for (const [index, feature] of listed.entries()) {
        if (this.#isFull()) break;
        features.push(this.#feature(`/features/${index}`, feature));
      }
    }
    return this.#findings.length > 0
      ? { findings: this.#findings }
      : { features, positions: this.#positions };
  }

  /** Degrees that are not of WGS 84 would be taken for places hundreds of metres away. */
  #system(crs: Json | undefined): void {
    if (crs === undefined) return;
    const properties = isObject(crs) ? crs['properties'] : undefined;
    const name = isObject(properties) ? properties['name'] : undefined;
    if (typeof name === 'string' && crs84.test(name)) return;
    this.#add('/crs', 'is not of RFC 7946: convert the coordinates to WGS 84, and leave it out');
  }

  #feature(at: string, value: Json): GeoFeature {
    const fields = this.#object(at, value, 'Feature');
    if (fields === null) return { name: null, ...nowhere };
    this.#without(at, fields, ['coordinates', 'geometries', 'features']);
    const { id, properties, geometry } = fields;
    if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') {
      this.#add(`${at}/id`, 'must be a text or a number; or leave it out');
    }
    if (properties === undefined || (properties !== null && !isObject(properties))) {
      this.#add(`${at}/properties`, 'must be an object, or null');
    }
    const name = isObject(properties) ? properties['name'] : undefined;
    return { name: nameOf(name), ...this.#geometry(`${at}/geometry`, geometry) };
  }

  #geometry(at: string, value: Json | undefined): Shape {
    if (!isObject(value)) {
      this.#add(at, 'must be a geometry; leave out features without a place');
      return nowhere;
    }
    this.#without(at, value, ['geometry', 'properties', 'features']);
    const inside = `${at}/coordinates`;
    const { type, coordinates = null } = value;
    switch (type) {
      case 'Point':
        return { ...nowhere, points: [this.#position(inside, coordinates)] };
      case 'MultiPoint':
        return { ...nowhere, points: this.#list(inside, coordinates, 1, this.#position) };
      case 'LineString':
        return { ...nowhere, lines: [this.#line(inside, coordinates)] };
      case 'MultiLineString':
        return { ...nowhere, lines: this.#list(inside, coordinates, 1, this.#line) };
      case 'Polygon':
        return { ...nowhere, areas: [this.#area(inside, coordinates)] };
      case 'MultiPolygon':
        return { ...nowhere, areas: this.#list(inside, coordinates, 1, this.#area) };
      default:
        this.#add(
          `${at}/type`,
          'must be Point, MultiPoint, LineString, MultiLineString, Polygon or MultiPolygon',
        );
        return nowhere;
    }
  }

  #area = (at: string, value: Json): readonly GeoRing[] => this.#list(at, value, 1, this.#ring);

  #ring = (at: string, value: Json): GeoRing => {
    const ring = this.#line(at, value, 4);
    const [first, last] = [ring[0], ring.at(-1)];
    if (this.#isFull() || first === refused || last === refused) return ring;
    if (first?.lat !== last?.lat || first?.lon !== last?.lon) {
      this.#add(at, 'must end with the position that it begins with');
    }
    return ring;
  };

  #line = (at: string, value: Json, minPositions = 2): readonly GeoPlace[] => {
    const places = this.#list(at, value, minPositions, this.#position);
    for (const [index, to] of places.entries()) {
      const from = places[index - 1];
      if (from === undefined || from === refused || to === refused) continue;
      if (this.#isFull()) break;
      if (Math.abs(to.lon - from.lon) > 180) {
        const detail = 'is over the antimeridian from the position before it: cut the line there';
        this.#add(`${at}/${index}`, `${detail} (RFC 7946, 3.1.9)`);
      }
      this.#count(at, pieceCount(from, to) - 1);
    }
    return places;
  };

  #position = (at: string, value: Json): GeoPlace => {
    this.#count(at, 1);
    const [lon, lat, altitude = 0, ...more] = isList(value) ? value : [];
    if (!isNumber(lon) || !isNumber(lat) || !isNumber(altitude) || more.length > 0) {
      this.#add(at, 'must be [longitude, latitude], with or without an altitude');
    } else if (Math.abs(lon) > 180 || Math.abs(lat) > 90) {
      const detail = 'is not on Earth: the longitude (-180 to 180) comes before the latitude';
      this.#add(at, `${detail} (-90 to 90)`);
    } else {
      return { lat, lon };
    }
    return refused;
  };

  /** Each item counts a position or adds a finding, so the list is left where either is full. */
  #list<T>(at: string, value: Json, min: number, parse: (at: string, item: Json) => T): T[] {
    const items: T[] = [];
    if (!isList(value) || value.length < min) {
      this.#add(at, `must be a list of at least ${min}`);
      return items;
    }
    for (const [index, item] of value.entries()) {
      if (this.#isFull()) break;
      items.push(parse(`${at}/${index}`, item));
    }
    return items;
  }

  #object(at: string, value: Json, type: string): Fields | null {
    if (isObject(value) && value['type'] === type) return value;
    this.#add(at, `must be an object with the type ${type}`);
    return null;
  }

  /** RFC 7946, 7.1: what would make it two kinds of object at once. */
  #without(at: string, fields: Fields, names: readonly string[]): void {
    for (const name of names) {
      if (Object.hasOwn(fields, name)) this.#add(`${at}/${name}`, 'must not be here; leave it out');
    }
  }

  #count(at: string, positions: number): void {
    if (this.#isFull()) return;
    this.#positions += positions;
    if (this.#positions <= limits.maxPositions) return;
    const detail = `goes beyond ${limits.maxPositions} positions in all`;
    this.#add(at, `${detail}; an edge counts once for each 0.1 degrees. Simplify the lines`);
  }

  #isFull(): boolean {
    return this.#findings.length >= limits.maxFindings || this.#positions > limits.maxPositions;
  }

  #add(pointer: string, detail: string): void {
    if (this.#findings.length < limits.maxFindings) this.#findings.push({ pointer, detail });
  }
}

/** It is put into sentences, so only a text of one line will do. */
function nameOf(name: Json | undefined): string | null {
  const text = typeof name === 'string' ? name.trim() : '';
  const fits =
    text !== '' && text.length <= limits.maxNameChars && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
  return fits ? text : null;
}

function isObject(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** `1e999` is JSON, and infinite. */
function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
