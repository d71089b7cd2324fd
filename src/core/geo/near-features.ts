import { cellsAround } from './cells-around.ts';
import { distanceM, distanceToEdgeM } from './distance.ts';
import { edgePieces } from './edge-pieces.ts';
import type { GeoFeature, GeoRing } from './geo-feature.ts';
import { geohash } from './geohash.ts';
import type { GeoPlace } from './geo-place.ts';
import { isInside } from './is-inside.ts';

/** A feature, and how far it is; 0 within an area. */
export interface NearFeature {
  readonly name: string | null;
  readonly distanceM: number;
}

/** What is looked at by itself: an edge (of one place twice, for a point), or an area. */
type Part = { readonly feature: number } & (
  | { readonly from: GeoPlace; readonly to: GeoPlace }
  | { readonly rings: readonly GeoRing[] }
);

interface Circle {
  readonly centre: GeoPlace;
  readonly radiusM: number;
}

/**
 * The grids, of geohash cells, that parts are sorted into, each into one cell of one grid: by the
 * centre of a circle around it, and by the circle's radius. So memory is linear in the parts, and
 * a search looks at about fifty cells, whatever they hold.
 */
const grids = [
  { precision: 6, maxRadiusM: 300 },
  { precision: 5, maxRadiusM: 2500 },
  { precision: 4, maxRadiusM: 20_000 },
  { precision: 3, maxRadiusM: 160_000 },
  // The largest are in one cell, and looked at in every search.
  { precision: 0, maxRadiusM: Infinity },
] as const;

/** Near the poles cells are narrow: with more to look at than this, the whole grid is searched. */
const maxCells = 300;

/** Features by place, in memory: those near a place are found without a look at all of them. */
export class NearFeatures {
  readonly #names: readonly (string | null)[];
  readonly #grids = grids.map((grid) => ({ grid, cells: new Map<string, Part[]>() }));

  constructor(features: readonly GeoFeature[]) {
    this.#names = features.map(({ name }) => name);
    for (const [index, feature] of features.entries()) {
      for (const [part, circle] of partsOf(feature, index)) this.#add(part, circle);
    }
  }

  /** The features within so many metres of a place, the nearest first. */
  within(place: GeoPlace, radiusM: number): NearFeature[] {
    const nearest = new Map<number, number>();
    for (const part of this.#candidates(place, radiusM)) {
      const distance = distanceToPartM(place, part);
      if (distance > radiusM) continue;
      nearest.set(part.feature, Math.min(distance, nearest.get(part.feature) ?? Infinity));
    }
    return [...nearest]
      .sort(([a, aM], [b, bM]) => aM - bM || a - b)
      .map(([feature, distance]) => ({
        name: this.#names[feature] ?? null,
        distanceM: distance,
      }));
  }

  #add(part: Part, { centre, radiusM }: Circle): void {
    const found = this.#grids.find(({ grid }) => radiusM <= grid.maxRadiusM);
    if (found === undefined) throw new RangeError(`no grid is for a circle of ${radiusM} m`);
    const { grid, cells } = found;
    const cell = geohash(centre, grid.precision);
    const parts = cells.get(cell);
    if (parts === undefined) cells.set(cell, [part]);
    else parts.push(part);
  }

  *#candidates(place: GeoPlace, radiusM: number): Generator<Part> {
    for (const { grid, cells } of this.#grids) {
      if (cells.size === 0) continue;
      const { precision, maxRadiusM } = grid;
      // A part may reach over here from as far as its circle is wide.
      const reachM = radiusM + maxRadiusM;
      const around =
        maxRadiusM === Infinity ? null : cellsAround(place, reachM, precision, maxCells);
      for (const cell of around ?? cells.keys()) yield* cells.get(cell) ?? [];
    }
  }
}

function* partsOf(
  { points, lines, areas }: GeoFeature,
  feature: number,
): Generator<[Part, Circle]> {
  for (const point of points) {
    yield [
      { feature, from: point, to: point },
      { centre: point, radiusM: 0 },
    ];
  }
  for (const line of [...lines, ...areas.flat()]) {
    for (const [from, to] of piecesOf(line)) {
      yield [{ feature, from, to }, circleAround([from, to])];
    }
  }
  for (const rings of areas) {
    const border = [...piecesOf(rings[0] ?? [])].flat();
    if (border.length > 0) yield [{ feature, rings }, circleAround(border)];
  }
}

function* piecesOf(line: readonly GeoPlace[]): Generator<[GeoPlace, GeoPlace]> {
  for (const [index, to] of line.entries()) {
    const from = line[index - 1];
    if (from !== undefined) yield* edgePieces(from, to);
  }
}

/** By how much a line that is straight in degrees may bulge out of the arc in its place. */
const bulgeM = 2.5;

/** A circle that holds the places, hence the lines between them and what these enclose. */
function circleAround(places: readonly GeoPlace[]): Circle {
  const box = { south: 90, north: -90, west: 180, east: -180 };
  for (const { lat, lon } of places) {
    box.south = Math.min(box.south, lat);
    box.north = Math.max(box.north, lat);
    box.west = Math.min(box.west, lon);
    box.east = Math.max(box.east, lon);
  }
  const centre = { lat: (box.south + box.north) / 2, lon: (box.west + box.east) / 2 };
  let radiusM = 0;
  for (const place of places) radiusM = Math.max(radiusM, distanceM(centre, place));
  return { centre, radiusM: radiusM + bulgeM };
}

function distanceToPartM(place: GeoPlace, part: Part): number {
  if ('rings' in part) return isInside(place, part.rings) ? 0 : Infinity;
  return distanceToEdgeM(place, part.from, part.to);
}
