import { describe, expect, it } from 'vitest';
import { geoJsonLimits, parseGeoJson } from '../../../src/core/geo/parse-geojson.ts';
import type { Json } from '../../../src/core/values/json.ts';

const feature = (geometry: Json, properties: Json = null) => ({
  type: 'Feature',
  properties,
  geometry,
});
const point = (coordinates: Json) => ({ type: 'Point', coordinates });
const line = (coordinates: Json) => ({ type: 'LineString', coordinates });
const square: Json = [
  [0, 0],
  [0, 1],
  [1, 1],
  [1, 0],
  [0, 0],
];

function collection(features: readonly Json[], more: Record<string, Json> = {}) {
  return parseGeoJson({ type: 'FeatureCollection', features, ...more });
}

function featuresOf(parsed: ReturnType<typeof parseGeoJson>) {
  if ('findings' in parsed) throw new Error(JSON.stringify(parsed.findings));
  return parsed.features;
}

function pointersOf(parsed: ReturnType<typeof parseGeoJson>) {
  if (!('findings' in parsed)) throw new Error('nothing was wrong');
  return parsed.findings.map(({ pointer }) => pointer);
}

describe('a FeatureCollection', () => {
  it('has points, lines and areas, whatever the types of its geometries', () => {
    const parsed = collection([
      feature(point([-98.2, 38.5, 512]), { name: ' City General ', beds: 120 }),
      feature({
        type: 'MultiPoint',
        coordinates: [
          [1, 2],
          [3, 4],
        ],
      }),
      feature(
        line([
          [1, 2],
          [3, 4],
        ]),
        { name: 7 },
      ),
      feature({
        type: 'MultiLineString',
        coordinates: [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
      }),
      feature({ type: 'Polygon', coordinates: [square] }, { name: 'two\nlines' }),
      feature({ type: 'MultiPolygon', coordinates: [[square], [square, square]] }),
    ]);
    const [hospital, points, oneLine, lines, area, areas] = featuresOf(parsed);
    expect(hospital).toEqual({
      name: 'City General',
      points: [{ lat: 38.5, lon: -98.2 }],
      lines: [],
      areas: [],
    });
    expect(points?.points).toEqual([
      { lat: 2, lon: 1 },
      { lat: 4, lon: 3 },
    ]);
    expect([oneLine?.name, oneLine?.lines.length, oneLine?.lines[0]?.length]).toEqual([null, 1, 2]);
    expect(lines?.lines).toHaveLength(2);
    expect([area?.name, area?.areas.length, area?.areas[0]?.[0]?.length]).toEqual([null, 1, 5]);
    expect(areas?.areas.map((rings) => rings.length)).toEqual([1, 2]);
  });

  it('may be empty, and may hold members that nobody knows', () => {
    expect(collection([])).toEqual({ features: [], positions: 0 });
    const known = collection(
      [{ ...feature(point([1, 2])), id: 7, bbox: [1, 2, 1, 2], style: {} }],
      {
        name: 'hospitals',
        crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:OGC:1.3:CRS84' } },
      },
    );
    expect(featuresOf(known)).toHaveLength(1);
  });

  it.each<[string, Json, readonly string[]]>([
    ['nothing', null, ['']],
    ['a list', [], ['']],
    ['a lone Feature', feature(point([1, 2])), ['']],
    ['no features', { type: 'FeatureCollection' }, ['/features']],
    ['features of another kind', { type: 'FeatureCollection', features: {} }, ['/features']],
    [
      'the members of a geometry',
      { type: 'FeatureCollection', features: [], coordinates: [] },
      ['/coordinates'],
    ],
    [
      'other degrees',
      { type: 'FeatureCollection', features: [], crs: { properties: { name: 'EPSG:25832' } } },
      ['/crs'],
    ],
  ])('is not %s', (_, document, pointers) => {
    expect(pointersOf(parseGeoJson(document))).toEqual(pointers);
  });
});

describe('a feature', () => {
  const at = '/features/0';
  it.each<[string, Json, readonly string[]]>([
    ['is an object', 7, [at]],
    ['has its type', { ...feature(point([1, 2])), type: 'Point' }, [at]],
    ['has a place', feature(null), [`${at}/geometry`]],
    ['has properties', { type: 'Feature', geometry: point([1, 2]) }, [`${at}/properties`]],
    ['has properties of a kind', feature(point([1, 2]), [1]), [`${at}/properties`]],
    ['has an id of a kind', { ...feature(point([1, 2])), id: {} }, [`${at}/id`]],
    ['is no geometry', { ...feature(point([1, 2])), coordinates: [] }, [`${at}/coordinates`]],
    ['has a known geometry', feature({ type: 'Circle' }), [`${at}/geometry/type`]],
    [
      'has one geometry',
      feature({ type: 'GeometryCollection', geometries: [] }),
      [`${at}/geometry/type`],
    ],
    ['has coordinates', feature({ type: 'Point' }), [`${at}/geometry/coordinates`]],
    ['has two of them', feature(point([1])), [`${at}/geometry/coordinates`]],
    ['has at most three', feature(point([1, 2, 3, 4])), [`${at}/geometry/coordinates`]],
    ['has numbers', feature(point([1, '2'])), [`${at}/geometry/coordinates`]],
    ['has finite ones', feature(point([1, 2, Number('1e999')])), [`${at}/geometry/coordinates`]],
    ['has its longitude first', feature(point([38.5, -98.2])), [`${at}/geometry/coordinates`]],
    ['is on Earth', feature(point([180.1, 0])), [`${at}/geometry/coordinates`]],
    [
      'has points',
      feature({ type: 'MultiPoint', coordinates: [] }),
      [`${at}/geometry/coordinates`],
    ],
    ['has lines of two', feature(line([[1, 2]])), [`${at}/geometry/coordinates`]],
    [
      'has lines of positions',
      feature(
        line([
          [1, 2],
          [3, 95],
        ]),
      ),
      [`${at}/geometry/coordinates/1`],
    ],
    [
      'has lines that are cut at the antimeridian',
      feature(
        line([
          [179, 2],
          [-179, 2],
        ]),
      ),
      [`${at}/geometry/coordinates/1`],
    ],
    [
      'has rings that end',
      feature({
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [0, 1],
            [1, 1],
            [1, 0],
          ],
        ],
      }),
      [`${at}/geometry/coordinates/0`],
    ],
    [
      'has rings of four',
      feature({
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [0, 1],
            [0, 0],
          ],
        ],
      }),
      [`${at}/geometry/coordinates/0`],
    ],
    [
      'has rings',
      feature({ type: 'MultiPolygon', coordinates: [[square], []] }),
      [`${at}/geometry/coordinates/1`],
    ],
  ])('%s', (_, given, pointers) => {
    expect(pointersOf(collection([given]))).toEqual(pointers);
  });
});

describe('the limits of a FeatureCollection', () => {
  it('are told once each, and nothing is read on', () => {
    const { maxFeatures, maxPositions, maxFindings } = geoJsonLimits;
    const many = Array.from({ length: maxFeatures }, () => feature(point([1, 2])));
    expect(featuresOf(collection(many))).toHaveLength(maxFeatures);
    expect(pointersOf(collection([...many, feature(point([1, 2]))]))).toEqual(['/features']);
    const long = (positions: number) => line(Array.from({ length: positions }, () => [1, 2]));
    expect(featuresOf(collection([feature(long(maxPositions))]))).toHaveLength(1);
    expect(pointersOf(collection([feature(long(maxPositions + 1))]))).toEqual([
      `/features/0/geometry/coordinates/${maxPositions}`,
    ]);
    const wrong = Array.from({ length: 100_000 }, () => 'here');
    expect(pointersOf(collection([feature({ type: 'MultiPoint', coordinates: wrong })]))).toEqual(
      Array.from(
        { length: maxFindings },
        (_, index) => `/features/0/geometry/coordinates/${index}`,
      ),
    );
  });

  it('count a long edge for what it takes', () => {
    const round = feature(
      line([
        [-90, 0],
        [90, 0],
      ]),
    );
    const parsed = collection(Array.from({ length: 50 }, () => round));
    expect(parsed).toMatchObject({ positions: 50 * (2 + 1799) });
    expect(pointersOf(collection(Array.from({ length: 1000 }, () => round)))).toEqual([
      '/features/55/geometry/coordinates',
    ]);
  });
});
