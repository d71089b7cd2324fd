import type { GeoPlace } from './geo-place.ts';

const digits = '0123456789bcdefghjkmnpqrstuvwxyz';

/** The grid of a precision (characters of a geohash): 2^lonBits columns by 2^latBits rows. */
export interface GeohashGrid {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Of 1 to 9 characters. The size of a cell, at the equator: 6: 1.2 by 0.6 km; 7: 153 by 153 m;
 * 8: 38 by 19 m. Away from it a cell is narrower, by the cosine of its latitude.
 */
export function geohashGrid(precision: number): GeohashGrid {
  const bits = 5 * precision;
  return { columns: 2 ** Math.ceil(bits / 2), rows: 2 ** Math.floor(bits / 2) };
}

/** The geohash of the cell that a place is in (https://en.wikipedia.org/wiki/Geohash). */
export function geohash({ lat, lon }: GeoPlace, precision: number): string {
  const grid = geohashGrid(precision);
  const column = columnOf(grid, lon) % grid.columns;
  return cellName(column, rowOf(grid, lat), precision);
}

/** May be beyond the last: the columns go on behind the antimeridian, both ways. */
export function columnOf({ columns }: GeohashGrid, lon: number): number {
  return Math.floor(((lon + 180) / 360) * columns);
}

export function rowOf({ rows }: GeohashGrid, lat: number): number {
  return Math.min(rows - 1, Math.floor(((lat + 90) / 180) * rows));
}

/**
 * The bits of column and row by turns, from their highest on and the column's first; five of them
 * are a character.
 */
export function cellName(column: number, row: number, precision: number): string {
  let name = '';
  let digit = 0;
  for (let left = 5 * precision - 1, isColumn = true; left >= 0; left -= 1, isColumn = !isColumn) {
    digit = digit * 2 + (((isColumn ? column : row) >> (left >> 1)) & 1);
    if (left % 5 === 0) {
      name += digits[digit];
      digit = 0;
    }
  }
  return name;
}
