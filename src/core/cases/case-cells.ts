import { cellsAround } from '../geo/cells-around.ts';
import { distanceM } from '../geo/distance.ts';
import { geohash } from '../geo/geohash.ts';
import type { GeoPlace } from '../geo/geo-place.ts';
import type { KeyOf } from '../records.ts';
import { caseCellKey } from './case-keys.ts';
import { caseLimits, type CaseRecord } from './case-record.ts';

/** What is known of an open case without a look at its record. */
export type OpenCase = Pick<CaseRecord, 'id' | 'kind' | 'location' | 'urgency' | 'openedAt'>;

/**
 * The open cases whose place is in a geohash cell, oldest first. Bounded by geometry: those of a
 * kind keep their distance, and more than 41 places that are 30 m apart do not fit into a cell of
 * 153 by 153 m (Oler's inequality). A case that is closed leaves its cell, and only that; a cell
 * that has become empty stays, so that its `rev` goes on counting.
 */
export interface CaseCell {
  readonly open: readonly OpenCase[];
}

export interface NearCase extends OpenCase {
  readonly distanceM: number;
}

/**
 * Seven characters: 153 by 153 m at the equator, and narrower away from it. A circle of 30 m
 * touches one to four of them, so that only reports from the same street wait for each other; one
 * of 250 m about 25, which is one read.
 */
const precision = 7;

/** What a circle of 1000 m touches at 85 degrees. */
const maxCells = 2400;
const cellsPerRead = 100;

/** A job's transaction, or the store itself. */
interface CellReader {
  getMany<V>(keys: readonly KeyOf<V>[]): Promise<(V | undefined)[]>;
}

export function cellKeyOf(tenant: string, location: GeoPlace): KeyOf<CaseCell> {
  return caseCellKey(tenant, geohash(location, precision));
}

/**
 * The open cases within `radiusM` (at most 1000) of a place, the nearest first. Read through the
 * transaction of a job, the answer holds when that commits: whoever opens another case in this
 * circle writes a cell that was read here. One read for 250 m; up to three for 1000 m at the
 * equator, five at 60 degrees, 24 at 85.
 */
export async function openCasesAround(
  reader: CellReader,
  tenant: string,
  place: GeoPlace,
  radiusM: number,
): Promise<NearCase[]> {
  const cells = cellsAround(place, radiusM, precision, maxCells);
  if (cells === null)
    throw new RangeError(`cases are looked for up to ${caseLimits.maxRadiusM} m around`);
  const keys = cells.map((cell) => caseCellKey(tenant, cell));
  const reads: Promise<(CaseCell | undefined)[]>[] = [];
  for (let from = 0; from < keys.length; from += cellsPerRead) {
    reads.push(reader.getMany(keys.slice(from, from + cellsPerRead)));
  }
  const found = (await Promise.all(reads)).flat();
  return found
    .flatMap((cell) => cell?.open ?? [])
    .map((open) => Object.assign({ distanceM: distanceM(place, open.location) }, open))
    .filter((near) => near.distanceM <= radiusM)
    .toSorted((a, b) => a.distanceM - b.distanceM);
}
